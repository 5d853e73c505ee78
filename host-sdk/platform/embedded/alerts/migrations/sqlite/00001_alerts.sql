-- +goose Up
create table embedded_alerts (
    id           text    primary key,
    tenant       text    not null,
    integration  text    not null,
    alert_key    text    not null,
    version      bigint  not null, -- counts changes, for compare-and-swap
    status       text    not null,
    title        text    not null,
    spoken_title text    not null,
    description  text    not null,
    urgency      text    not null,
    fields       text    not null, -- JSON
    attachments  text    not null, -- JSON
    teams        text    not null, -- JSON: team ids
    layer        bigint  not null, -- being paged, or paged last; 0: none
    round        bigint  not null,
    paged        text    not null, -- JSON: user ids of the layer
    rejected     text    not null, -- JSON: those of them who cannot now
    acks         text    not null, -- JSON: acknowledgements in force
    deadline     bigint,           -- of the layer; null: no time-out runs
    last_command bigint  not null,
    entries      bigint  not null, -- lines in embedded_log
    created_at   bigint  not null,
    updated_at   bigint  not null
);
create unique index embedded_alerts_key on embedded_alerts (tenant, integration, alert_key);
create index embedded_alerts_deadline on embedded_alerts (deadline) where deadline is not null;
create index embedded_alerts_created on embedded_alerts (created_at);
create index embedded_alerts_updated on embedded_alerts (updated_at);

create table embedded_log (
    alert_id text   not null,
    n        bigint not null, -- from 1
    at       bigint not null,
    actor    text   not null,
    message  text   not null,
    primary key (alert_id, n)
);

create table embedded_pages (
    id       text   primary key,
    alert_id text   not null,
    layer    bigint not null,
    round    bigint not null,
    users    text   not null, -- JSON: user ids
    at       bigint not null,
    due      bigint not null, -- not tried again before
    attempts bigint not null
);
create index embedded_pages_due on embedded_pages (due);

-- +goose Down
drop table embedded_pages;
drop table embedded_log;
drop table embedded_alerts;
