-- +goose Up

-- When the next turn of what several hosts do for one account comes.
create table paces (
	key  text   not null primary key,
	next bigint not null
);
