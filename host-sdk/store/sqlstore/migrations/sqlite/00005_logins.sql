-- +goose Up

-- Logins of browsers. The id is derived from the cookie, which cannot be made from it.
create table logins (
	id   text   not null primary key,
	ends bigint not null
);
create index logins_ends on logins (ends);
