-- +goose Up

-- A deleted alert takes along what people were still to be told of it.
create index embedded_pages_alert on embedded_pages (alert_id);
create index embedded_notices_alert on embedded_notices (alert_id);

-- +goose Down
drop index embedded_notices_alert;
drop index embedded_pages_alert;
