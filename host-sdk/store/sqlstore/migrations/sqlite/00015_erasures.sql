-- +goose Up

-- A deleted recording stays in the record of its call, without its sound, to say that it was deleted.
alter table call_recordings add column deleted_at bigint not null default 0; -- 0: it is there
alter table call_recordings add column deleted_by text not null default '';
create index call_recordings_kept on call_recordings (at, call) where deleted_at = 0;

-- Until when nobody asks again whether the retention of a record is over: a host is at it, or the
-- record has to be kept for now.
alter table calls add column looked_until bigint not null default 0;

-- What was deleted here and is still to be deleted at the foreign service.
create table erasures (
	id          integer primary key autoincrement,
	integration text   not null,
	key         text   not null, -- of the session
	media       text   not null, -- JSON: the recordings; '': all of the call
	whole       bigint not null, -- 1: what the foreign service keeps of the call itself, too
	cause       text   not null, -- see store.Erasure
	asked_at    bigint not null,
	due         bigint not null, -- not claimed before
	attempt     bigint not null,
	owner       text   not null,
	reason      text   not null, -- why the last attempt failed; '': there was none
	given_up    bigint not null  -- 1: not tried again
);
create index erasures_due on erasures (due, id) where given_up = 0;
create index erasures_asked on erasures (asked_at, id);
create index erasures_integration on erasures (integration, id);
