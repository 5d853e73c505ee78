-- +goose Up
-- Who made a change, by id: names are not theirs alone. '': somebody whom the file does not have.
alter table embedded_shifts add column maker text not null default '';

-- +goose Down
alter table embedded_shifts drop column maker;
