-- +goose Up

-- When the caller reached a person: the first commit whose view has a conversation; 0: not, or it is not
-- known.
alter table calls add column answered_at bigint not null default 0;
