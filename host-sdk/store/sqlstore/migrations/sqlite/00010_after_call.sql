-- +goose Up

-- 1: the call has ended, and the session only has something to tell people. Whoever it waits for, the
-- sessions of callers come first.
alter table sessions add column after_call bigint not null default 0;
