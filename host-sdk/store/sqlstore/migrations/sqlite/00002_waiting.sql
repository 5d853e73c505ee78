-- +goose Up

alter table sessions add column waits_for text not null default ''; -- JSON array of user ids; '': none
alter table sessions add column media text not null default '';     -- JSON array of media references; '': none
alter table sessions add column caller text not null default '';    -- From of the call's view; '': withheld, or no call

-- Earlier calls of a number are looked up from the first hour on.
update sessions set caller = coalesce(json_extract(cast(view as text), '$.From'), '') where view <> '' and json_valid(cast(view as text));

create index sessions_waiting on sessions (integration, created_at) where live = 1 and waits_for <> '';
create index sessions_caller on sessions (integration, caller, created_at) where caller <> '';
