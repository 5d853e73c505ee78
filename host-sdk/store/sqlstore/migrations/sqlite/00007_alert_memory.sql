-- +goose Up

alter table sessions add column alert text not null default ''; -- JSON, see store.AlertMemory; '': of an earlier release
