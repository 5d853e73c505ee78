package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// countClaims makes the database count claims of items of the outbox, and keep each that took an
// item while another claim of it held: somebody's lease ran, and they had not given it back. Times
// are those of the database, by which hosts go.
const countClaims = `
create sequence bench_claims;
create table bench_twice (item bigint, first text, second text, left_ms bigint);
create function bench_claimed() returns trigger language plpgsql as $$
begin
	perform nextval('bench_claims');
	if old.owner <> '' and old.lease > extract(epoch from clock_timestamp()) * 1000 then
		insert into bench_twice values (old.id, old.owner, new.owner, old.lease - extract(epoch from clock_timestamp()) * 1000);
	end if;
	return null;
end $$;
create trigger bench_claimed after update on outbox for each row
	when (new.owner <> '' and (new.owner <> old.owner or new.attempt > old.attempt)) execute function bench_claimed();`

// claimTwice claims an item in two ways of which the second disregards the first: that must be
// counted, or the count would say nothing. The item is nobody's to work on, and is undone.
const claimTwice = `
insert into outbox (integration, key, kind, lane, name, generation, due, not_after, phase, attempt, owner, lease, ready, head, body, result, work)
	values ('bench', 'bench', 'timer', '', 'bench', 0, 0, 0, 'waiting', 0, '', 0, 0, 0, '', '', 'event');
update outbox set owner = 'one', attempt = 1, lease = extract(epoch from clock_timestamp()) * 1000 + 60000 where integration = 'bench';
update outbox set owner = 'two', attempt = 2 where integration = 'bench';`

// errUndone ends the transaction of claimTwice.
var errUndone = errors.New("undone")

// claimsCounter counts claims in a database.
type claimsCounter struct{ conn *pgx.Conn }

// newClaimsCounter begins to count, and makes sure that it would notice.
func newClaimsCounter(ctx context.Context, url string) (*claimsCounter, error) {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return nil, err
	}
	c := &claimsCounter{conn: conn}
	if _, err := conn.Exec(ctx, countClaims); err != nil {
		return nil, fmt.Errorf("counting claims: %w", err)
	}
	twice := 0
	err = pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, claimTwice); err != nil {
			return err
		}
		if err := tx.QueryRow(ctx, "select count(*) from bench_twice").Scan(&twice); err != nil {
			return err
		}
		return errUndone
	})
	if !errors.Is(err, errUndone) {
		return nil, fmt.Errorf("counting claims: %w", err)
	}
	if twice != 1 {
		return nil, fmt.Errorf("counting claims: an item that was claimed twice was counted %d times", twice)
	}
	_, err = conn.Exec(ctx, "select setval('bench_claims', 1, false)")
	return c, err
}

// read returns the claims so far, by how many owners, and how many took what was another's.
func (c *claimsCounter) read(ctx context.Context) (claims, twice int, err error) {
	err = c.conn.QueryRow(ctx, "select (select case when is_called then last_value else 0 end from bench_claims), (select count(*) from bench_twice)").Scan(&claims, &twice)
	return claims, twice, err
}

// stop ends counting; what follows need not pay for it.
func (c *claimsCounter) stop(ctx context.Context) error {
	_, err := c.conn.Exec(ctx, "drop trigger bench_claimed on outbox")
	return errors.Join(err, c.conn.Close(ctx))
}
