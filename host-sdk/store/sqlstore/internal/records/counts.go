package records

import (
	"context"
	"strings"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/store"
	"github.com/livecallrouting/livecall/host-sdk/store/sqlstore/internal/stored"
)

// countCalls counts the calls that began from $1 until before $2. Both databases have window
// functions: place numbers the calls of a team whose caller reached a person, the shortest wait
// first, and timed is how many they are, so that the smallest wait at a place of at least p × timed
// is that part's. It is one pass over the calls of the time, by the index calls_started or
// calls_team; a test holds the plan.
const countCalls = `with chosen as (
		select TEAM as id, ended, case when ended = 'connected' and answered_at > started_at then answered_at - started_at end as wait
		from calls where started_at >= $1 and started_at < $2 and (live = 0 or ended <> '') WHERE
	), placed as (
		select id, ended, wait, row_number() over (partition by id, wait is null order by wait) as place, count(wait) over (partition by id) as timed from chosen
	)
	select id, count(case when ended <> 'rejected' then 1 end), count(case when ended = 'connected' then 1 end), count(case when ended = 'message_left' then 1 end),
		count(case when ended = 'hung_up' then 1 end), count(case when ended = 'rejected' then 1 end), count(wait),
		coalesce(min(case when place * 2 >= timed then wait end), 0), coalesce(min(case when place * 10 >= timed * 9 then wait end), 0)
	from placed group by id order by id`

// countQuery is the query of a filter. TEAM and WHERE are replaced by constants of ours, never by
// what somebody asks for.
func countQuery(f store.CountFilter) (string, []any) {
	team, where, args := "''", "", []any{stored.Ms(f.From), stored.Ms(f.To)}
	if f.ByTeam {
		team = "team"
	}
	if f.Team != "" {
		where, args = "and team = $3 and team <> ''", append(args, f.Team)
	}
	return strings.NewReplacer("TEAM", team, "WHERE", where).Replace(countCalls), args
}

// CountCalls implements store.Calls. Missed is what is left, so the parts always add up to all.
func (r *Records) CountCalls(ctx context.Context, f store.CountFilter) ([]store.CallCounts, error) {
	query, args := countQuery(f)
	return stored.Many(ctx, r.read, "count calls", func(scan func(...any) error) (c store.CallCounts, err error) {
		var median, p90 int64
		err = scan(&c.Team, &c.Calls, &c.Answered, &c.Messages, &c.HangUps, &c.Rejected, &c.Timed, &median, &p90)
		c.Missed = c.Calls - c.Answered - c.Messages - c.HangUps
		c.Median, c.P90 = time.Duration(median)*time.Millisecond, time.Duration(p90)*time.Millisecond
		return c, err
	}, query, args...)
}
