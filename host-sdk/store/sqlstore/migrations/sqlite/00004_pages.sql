-- +goose Up

-- The calls of a number to any integration.
create index sessions_caller_any on sessions (caller, created_at) where caller <> '';
