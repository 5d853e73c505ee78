-- +goose Up
-- What people are still to be told of changes that were taken back.
create table embedded_shift_news (
    id        text   primary key,
    what      text   not null, -- see News
    recipient text   not null, -- who is told
    team      text   not null, -- the columns of the change, as they were
    layer     bigint not null,
    person    text   not null,
    starts    bigint not null,
    ends      bigint not null,
    note      text   not null,
    made_by   text   not null, -- who took it back
    made_at   bigint not null,
    tell      bigint not null  -- when the person is told next
);
create index embedded_shift_news_tell on embedded_shift_news (tell);

-- +goose Down
drop table embedded_shift_news;
