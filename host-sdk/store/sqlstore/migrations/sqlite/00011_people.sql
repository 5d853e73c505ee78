-- +goose Up

-- Hosts of the release before know logins by the API token alone, whose ids they make from it: they never
-- find one of the others.
alter table logins add column how text not null default 'token';
alter table logins add column email text not null default '';
alter table logins add column person text not null default ''; -- the platform's id, of the link in a page
alter table logins add column alert text not null default '';
alter table logins add column role text not null default '';
alter table logins add column since bigint not null default 0;
alter table logins add column used_at bigint not null default 0;
alter table logins add column remote text not null default '';
alter table logins add column agent text not null default '';
alter table logins add column ended text not null default ''; -- why it was ended before its time
create index logins_email on logins (email, since);
create index logins_since on logins (since);

create table api_tokens (
	id         text   not null primary key,
	hash       text   not null unique,
	name       text   not null,
	role       text   not null,
	made_by    text   not null,
	made_at    bigint not null,
	used_at    bigint not null,
	revoked_at bigint not null -- 0: valid
);
create unique index api_tokens_name on api_tokens (name) where revoked_at = 0;

-- What works once. The id is a hash.
create table one_times (
	id      text   not null primary key,
	about   text   not null,
	ends    bigint not null,
	used_at bigint not null -- 0: not used yet
);
create index one_times_about on one_times (about) where used_at = 0;
create index one_times_ends on one_times (ends);

create table audit (
	id     integer primary key autoincrement,
	at     bigint not null,
	who    text   not null,
	action text   not null,
	about  text   not null,
	detail text   not null,
	remote text   not null
);
create index audit_at on audit (at);
create index audit_who on audit (who, id);
create index audit_action on audit (action, id);
create index audit_about on audit (about, id);
