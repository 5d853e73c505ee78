-- +goose Up
create table embedded_shifts (
    id        text   primary key,
    number    bigint not null, -- the order in which they were made
    team      text   not null, -- "": the person is away, from all teams
    layer     bigint not null, -- from 1; 0: away
    person    text   not null, -- who is on call, or away
    starts    bigint not null,
    ends      bigint not null,
    note      text   not null,
    made_by   text   not null, -- how people are named
    made_at   bigint not null,
    tell      bigint           -- when the person is told next; null: no more
);
create index embedded_shifts_ends on embedded_shifts (ends);
create index embedded_shifts_tell on embedded_shifts (tell) where tell is not null;

-- The only row counts the changes, so that each host notices those of the others. It is there after the
-- first one.
create table embedded_shifts_count (
    id      bigint primary key,
    version bigint not null
);

-- +goose Down
drop table embedded_shifts_count;
drop table embedded_shifts;
