-- +goose Up

alter table outbox add column work text not null default ''; -- which workers it waits for, see store.Work

update outbox set work = case
	when phase = 'result' or kind = 'timer' then 'event'
	when kind = 'task' and json_valid(cast(body as text)) and coalesce(json_extract(cast(body as text), '$.PaceKey'), '') <> '' then 'dial'
	else kind end;

-- The claim of one kind of workers, however much work of the other kinds is due. The integration is
-- part of the index, so that those which have as many workers as they may are passed over in it.
create index outbox_work on outbox (work, ready, id, integration) where head = 1;
