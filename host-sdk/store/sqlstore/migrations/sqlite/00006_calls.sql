-- +goose Up

-- The host's record of each call, which outlives its session.
create table calls (
	id               integer primary key autoincrement,
	integration      text   not null,
	integration_name text   not null,
	key              text   not null,
	live             bigint not null,
	started_at       bigint not null,
	ended_at         bigint not null, -- 0 while it is live
	updated_at       bigint not null,
	caller           text   not null, -- From of the view; '': withheld
	team             text   not null, -- Team of the view; '': none
	ended            text   not null, -- Ended of the view; '': it runs
	alert_key        text   not null, -- '': none
	alert_id         text   not null,
	alert_url        text   not null,
	alert_title      text   not null,
	view             text   not null, -- JSON
	unique (integration, key)
);
create index calls_key on calls (key);
create index calls_alert on calls (integration, alert_key) where alert_key <> '';
create index calls_started on calls (started_at, id);
create index calls_started_in on calls (integration, started_at, id);
create index calls_team on calls (team, started_at, id) where team <> '';
create index calls_caller on calls (caller, started_at, id) where caller <> '';
create index calls_ended on calls (ended, started_at, id) where ended <> '';
create index calls_live on calls (started_at, id) where live = 1;
create index calls_ended_at on calls (ended_at) where live = 0;

create table call_lines (
	id      integer primary key autoincrement, -- the order of the story
	call    bigint not null,
	command bigint not null, -- 0: of none
	at      bigint not null,
	actor   text   not null,
	message text   not null
);
create index call_lines_call on call_lines (call, id);
create unique index call_lines_command on call_lines (call, command) where command <> 0;

create table call_fields (
	id     integer primary key autoincrement,
	call   bigint not null,
	label  text   not null,
	value  text   not null,
	format text   not null,
	unique (call, label)
);

create table call_recordings (
	id           integer primary key autoincrement,
	call         bigint not null,
	ref          text   not null,
	label        text   not null,
	name         text   not null,
	content_type text   not null,
	bytes        bigint not null,
	duration     bigint not null, -- milliseconds
	at           bigint not null,
	unique (call, ref)
);
create index call_recordings_ref on call_recordings (ref);

create table call_heard (
	id        integer primary key autoincrement,
	recording bigint not null,
	actor     text   not null,
	at        bigint not null,
	unique (recording, actor)
);

create table call_notes (
	id    text   not null primary key,
	call  bigint not null,
	at    bigint not null,
	actor text   not null,
	note  text   not null
);
create index call_notes_call on call_notes (call, id);

alter table sessions add column told text not null default ''; -- JSON, see store.Told; '': nothing

-- The calls that there are keep what is known of them.
insert into calls (integration, integration_name, key, live, started_at, ended_at, updated_at, caller, team, ended, alert_key, alert_id, alert_url, alert_title, view)
	select s.integration, coalesce(i.name, ''), s.key, s.live, s.created_at, case when s.live = 1 then 0 else s.updated_at end, s.updated_at, s.caller,
		coalesce(json_extract(cast(s.view as text), '$.Team'), ''), coalesce(json_extract(cast(s.view as text), '$.Ended'), ''), s.alert_key, '', '', '', s.view
	from sessions s left join integrations i on i.id = s.integration
	where s.view <> '' and json_valid(cast(s.view as text)) order by s.created_at, s.key;
