-- +goose Up

-- The teams that each alert was sent to: the newest alerts of a team are found by it.
create table embedded_alert_teams (
    team     text   not null,
    at       bigint not null, -- when the alert was made
    alert_id text   not null,
    primary key (team, at, alert_id)
);
create index embedded_alert_teams_alert on embedded_alert_teams (alert_id);

insert into embedded_alert_teams (team, at, alert_id)
    select distinct value, created_at, embedded_alerts.id from embedded_alerts, json_each(embedded_alerts.teams);

-- +goose Down
drop table embedded_alert_teams;
