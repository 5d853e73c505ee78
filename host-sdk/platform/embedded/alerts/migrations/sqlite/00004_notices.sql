-- +goose Up

-- What people and channels are still to be told of alerts, a row for each of their ways. What the release
-- before keeps in embedded_pages is moved here when it is due.
create table embedded_notices (
    id         text   primary key,
    alert_id   text   not null,
    event      text   not null, -- paged, or what a channel is told
    person     text   not null, -- who is paged; "" for a channel
    team       text   not null, -- whose channel it is; "" for a person
    way        text   not null, -- mail, or the id of an address
    note       text   not null, -- what happened, as a channel is told
    layer      bigint not null,
    round      bigint not null,
    at         bigint not null,
    due        bigint not null, -- not tried again before
    ends       bigint not null, -- not tried any more after
    attempts   bigint not null,
    failed     bigint not null default 0, -- attempts that surely reached nobody
    claimed_by text   not null  -- the host that sends it; "": none
);
create index embedded_notices_due on embedded_notices (due);
create index embedded_notices_claimed on embedded_notices (claimed_by) where claimed_by <> '';

-- +goose Down
drop table embedded_notices;
