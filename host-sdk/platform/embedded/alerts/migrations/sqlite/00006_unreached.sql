-- +goose Up

-- Ways by which the last notice did not reach its person or channel.
create table embedded_unreached (
    person text not null, -- user id; "" for a channel
    team   text not null, -- team id; "" for a person
    way    text not null,
    email  text not null, -- the address of the way "mail"
    reason text not null, -- whom it did not reach, and what to do
    primary key (person, team, way, email)
);

-- +goose Down
drop table embedded_unreached;
