-- +goose Up

-- The questions of pages: the newest alerts of a status, of an integration, of both.
create index embedded_alerts_status on embedded_alerts (status, created_at, id);
create index embedded_alerts_integration on embedded_alerts (integration, created_at, id);
create index embedded_alerts_integration_status on embedded_alerts (integration, status, created_at, id);

-- +goose Down
drop index embedded_alerts_integration_status;
drop index embedded_alerts_integration;
drop index embedded_alerts_status;
