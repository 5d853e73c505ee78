-- +goose Up

-- The running hosts that share the database.
create table hosts (
	id      text   not null primary key,
	about   blob   not null, -- JSON: machine, address, versions, switchboard file
	seen_at bigint not null
);
