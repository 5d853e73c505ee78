-- +goose Up
create table goalert_alerts (
    tenant       text   not null,
    integration  text   not null,
    alert_key    text   not null,
    last_command bigint not null,
    record       text   not null, -- JSON
    updated_at   bigint not null,
    primary key (tenant, integration, alert_key)
);
create index goalert_alerts_updated on goalert_alerts (updated_at);
