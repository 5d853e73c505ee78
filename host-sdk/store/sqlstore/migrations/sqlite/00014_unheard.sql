-- +goose Up

-- 0: somebody has heard it. A host of the previous release leaves it at 1, so what it says of a recording
-- that nobody has heard is looked at again.
alter table call_recordings add column unheard bigint not null default 1;
update call_recordings set unheard = 0 where id in (select recording from call_heard);
create index call_recordings_unheard on call_recordings (call, id) where unheard = 1;
