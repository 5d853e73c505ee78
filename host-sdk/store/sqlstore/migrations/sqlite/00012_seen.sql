-- +goose Up

-- When the caller of a session was last heard of: beside the session, which is large.
create table session_seen (
	integration text   not null,
	key         text   not null,
	seen_at     bigint not null,
	primary key (integration, key)
);
