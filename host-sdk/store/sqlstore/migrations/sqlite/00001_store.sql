-- +goose Up

-- Small facts about the database itself, in clear: the check of the secret key.
create table meta (
	name  text not null primary key,
	value text not null
);

-- Settings may be secrets, so all values are sealed.
create table settings (
	name  text not null primary key,
	value blob not null
);

create table integrations (
	id            text   not null primary key,
	plugin        text   not null,
	name          text   not null,
	enabled       bigint not null,
	maintenance   bigint not null,
	urgency       text   not null,
	revision      bigint not null,
	created_at    bigint not null,
	updated_at    bigint not null,
	deleted_at    bigint not null, -- 0: in use
	destinations  text   not null, -- JSON
	secret_fields text   not null, -- JSON
	fallback      text   not null, -- JSON
	token_key     blob   not null  -- sealed
);

-- One row a revision. Superseded ones stay while a session pins them.
create table integration_options (
	integration text   not null,
	revision    bigint not null,
	format      bigint not null,
	created_at  bigint not null,
	options     blob   not null, -- sealed
	primary key (integration, revision)
);

create table findings (
	integration text   not null,
	code        text   not null,
	severity    text   not null,
	message     text   not null,
	field       text   not null,
	at          bigint not null,
	primary key (integration, code)
);

create table sessions (
	integration text   not null,
	key         text   not null,
	version     bigint not null,
	revision    bigint not null,
	format      bigint not null,
	live        bigint not null,
	created_at  bigint not null,
	updated_at  bigint not null,
	expires_at  bigint not null,
	alert_key   text   not null, -- '': none
	occupies    text   not null, -- JSON array of user ids; '': none
	view        text   not null, -- JSON, the call as pages show it; '': none
	state       blob   not null,
	primary key (integration, key)
);
create index sessions_key on sessions (key);
create index sessions_alert on sessions (integration, alert_key) where alert_key <> '';
create index sessions_created on sessions (created_at);
create index sessions_created_in on sessions (integration, created_at);
create index sessions_live on sessions (created_at) where live = 1;
create index sessions_occupied on sessions (integration, created_at) where live = 1 and occupies <> '';
create index sessions_expiry on sessions (expires_at);
create index sessions_pins on sessions (integration, revision);

-- Ids are never used again (autoincrement): a commit that consumes an item must not hit its successor.
create table outbox (
	id          integer primary key autoincrement,
	integration text   not null,
	key         text   not null,
	kind        text   not null,
	lane        text   not null, -- '': no order
	name        text   not null,
	generation  bigint not null,
	due         bigint not null,
	not_after   bigint not null, -- 0: none
	phase       text   not null,
	attempt     bigint not null,
	owner       text   not null,
	lease       bigint not null, -- until when it is the owner's; 0: nobody's
	ready       bigint not null, -- the later of due and lease: when it can be claimed
	head        bigint not null, -- 1: first of its lane, or in none; only these can be claimed
	body        blob   not null,
	result      blob   not null
);
-- Claiming looks at this index alone, however many items wait behind others.
create index outbox_ready on outbox (ready, id) where head = 1;
create index outbox_lane on outbox (integration, key, lane, id) where lane <> '' and phase <> 'result';
create index outbox_name on outbox (integration, key, name);

create table media (
	ref          text   not null primary key, -- media: and the hexadecimal SHA-256 of the content
	token        text   not null unique,
	name         text   not null,
	content_type text   not null,
	bytes        bigint not null,
	duration     bigint not null, -- milliseconds
	public       bigint not null,
	created_at   bigint not null,
	data         blob   not null
);
