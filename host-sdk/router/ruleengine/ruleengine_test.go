package ruleengine_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded"
	"github.com/livecallrouting/livecall/host-sdk/router/ruleengine"
)

const file = `users:
  - {id: alice, name: Alice Example, email: alice@example.com, phones: ["+12025550143"]}
teams:
  - {id: devops, name: DevOps, admins: [alice], members: [alice], schedule: {timezone: America/New_York, layers: [{users: [alice]}]}}
  - {id: sales, name: Sales, admins: [alice], members: [alice], schedule: {timezone: America/New_York, layers: [{users: [alice]}]}}
routers:
  - id: by-time-of-day
    enabled: true
    default_receiver: devops
    rules:
      - match: {$timeBetween: {timezone: America/New_York, starttime: "12:00 am", endtime: "12:00 pm"}}
        actions: [{type: assign, receiver: [sales, devops]}]
      - match: {call.country: CA}
        actions: [{type: ignore}]
`

func TestFileRouter(t *testing.T) {
	t.Parallel()
	engine := ruleengine.New()
	f, problems := embedded.Parse("switchboard.yaml", []byte(file), engine)
	if f == nil {
		t.Fatal(problems)
	}
	sales := integration.Destination{Kind: integration.DestinationTeam, ID: "sales", Name: "Sales"}
	devops := integration.Destination{Kind: integration.DestinationTeam, ID: "devops", Name: "DevOps"}
	for _, tt := range []struct {
		at    string
		facts string
		want  integration.RouteVerdict
	}{
		{"2026-01-05T14:00:00Z", `{}`, integration.RouteVerdict{Receivers: []integration.Destination{sales, devops}, Default: []integration.Destination{devops},
			Trace: []string{"Router by-time-of-day: rule 1 matched"}}},
		{"2026-01-05T20:00:00Z", `{}`, integration.RouteVerdict{Default: []integration.Destination{devops},
			Trace: []string{"Router by-time-of-day: no rule matched, the default receiver is used"}}},
		{"2026-01-05T20:00:00Z", `{"call":{"country":"CA"}}`, integration.RouteVerdict{Default: []integration.Destination{devops},
			Notes: []string{"Router by-time-of-day: rule 2: the action ignore does nothing for a call"},
			Trace: []string{"Router by-time-of-day: rule 2 matched and assigns nothing, the default receiver is used"}}},
	} {
		at, err := time.Parse(time.RFC3339, tt.at)
		if err != nil {
			t.Fatal(err)
		}
		got, err := f.Route(engine, "by-time-of-day", []byte(tt.facts), at)
		if diff := cmp.Diff(tt.want, got); diff != "" || err != nil {
			t.Errorf("%s %s: %v\n%s", tt.at, tt.facts, err, diff)
		}
	}
	if got, err := f.Route(engine, "by-time-of-day", []byte(`[]`), time.Time{}); err != nil || len(got.Default) != 1 || len(got.Notes) != 1 {
		t.Errorf("facts that are none: %+v %v", got, err)
	}
}

// Problems are shown at their line of the file.
func TestProblemsHaveLines(t *testing.T) {
	t.Parallel()
	bad := strings.ReplaceAll(file, "America/New_York, starttime", "Mars/Olympus, starttime")
	f, problems := embedded.Parse("switchboard.yaml", []byte(bad), ruleengine.New())
	if f != nil {
		t.Fatal("accepted")
	}
	for _, p := range problems {
		if p.Line == 11 && strings.Contains(p.Message, "unknown zone") {
			return
		}
	}
	t.Errorf("no problem at line 11 about the zone: %v", problems)
}

func TestEvaluate(t *testing.T) {
	t.Parallel()
	e := ruleengine.New()
	if _, err := e.Evaluate([]byte(`[{"match":{"$where":"1"},"actions":[{"type":"ignore"}]}]`), nil, time.Time{}); err == nil || !strings.Contains(err.Error(), "$where") {
		t.Errorf("got %v", err)
	}
	var wg sync.WaitGroup
	for i := range 200 { // more than are kept, from many goroutines
		wg.Go(func() {
			rules := fmt.Sprintf(`[{"match":{"always":true},"actions":[{"type":"assign","receiver":"team%d"}]}]`, i)
			v, err := e.Evaluate([]byte(rules), []byte(`{}`), time.Time{})
			if err != nil || !cmp.Equal(v.Receivers, []string{fmt.Sprintf("team%d", i)}) {
				t.Errorf("%d: %+v %v", i, v, err)
			}
		})
	}
	wg.Wait()
}
