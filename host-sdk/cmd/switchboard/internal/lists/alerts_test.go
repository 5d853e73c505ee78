package lists_test

import (
	"context"
	"fmt"
	"net/url"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/lists"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// world is a platform with alerts and a store with calls, the newest first.
type world struct {
	platform.Platform
	platform.AlertBrowser
	store.Calls
	calls  []store.Call
	alerts map[string]platform.AlertRecord
	asked  platform.AlertFilter // of the last list of alerts
}

// ListCalls implements store.Calls for what a list of alerts asks; a cursor is a position.
func (w *world) ListCalls(_ context.Context, f store.CallFilter) (found []store.Call, next string, err error) {
	at, _ := strconv.Atoi(f.After)
	for ; at < len(w.calls); at++ {
		if len(found) == f.Limit {
			return found, strconv.Itoa(at), nil
		}
		c := w.calls[at]
		given := func(asked, is string) bool { return asked == "" || asked == is }
		if (c.Alert.Key != "" || !f.Alerts) && given(f.From, c.View.From) && given(f.Ended, c.View.Ended) && given(f.Team, c.View.Team) && given(f.Integration, c.Integration) {
			found = append(found, c)
		}
	}
	return found, "", nil
}

// ListIntegrations implements lists.Store.
func (w *world) ListIntegrations(context.Context) ([]store.Integration, error) {
	return []store.Integration{{ID: "int", Name: "Hotline"}}, nil
}

// CallsByAlert implements store.Calls.
func (w *world) CallsByAlert(_ context.Context, _ string, keys []string) (found []store.Call, err error) {
	for _, c := range w.calls {
		for _, key := range keys {
			if c.Alert.Key == key {
				found = append(found, c)
			}
		}
	}
	return found, nil
}

// GetAlert implements platform.AlertBrowser.
func (w *world) GetAlert(_ context.Context, id string) (platform.AlertRecord, error) {
	if rec, ok := w.alerts[id]; ok {
		return rec, nil
	}
	return platform.AlertRecord{}, integration.Errorf(integration.KindNotFound, "none")
}

// Teams implements platform.Platform.
func (w *world) Teams(context.Context, platform.Scope) ([]integration.Destination, error) {
	return []integration.Destination{{ID: "devops"}, {ID: "support"}}, nil
}

// ListAlerts implements platform.AlertBrowser.
func (w *world) ListAlerts(_ context.Context, f platform.AlertFilter) ([]platform.AlertRecord, string, error) {
	w.asked = f
	return []platform.AlertRecord{w.alerts["id0"]}, "", nil
}

const bobsNumber = "+12025550144"

// newWorld has twelve calls from Bob's number: most have an alert, in turn open and resolved, for
// two teams.
func newWorld() (*world, lists.Source) {
	w := &world{alerts: map[string]platform.AlertRecord{}}
	for i := range 12 {
		key, status, team := fmt.Sprint("K", i), integration.AlertOpen, "devops"
		if i%2 == 1 {
			status = integration.AlertResolved
		}
		if i%3 == 0 {
			team = "support"
		}
		c := store.Call{Integration: "int", Key: "CA" + key, View: integration.CallView{From: bobsNumber}}
		if i != 5 { // without an alert
			c.Alert.Key, c.Alert.ID = key, fmt.Sprint("id", i)
		}
		w.calls = append(w.calls, c)
		if i != 6 { // deleted at the platform
			w.alerts[fmt.Sprint("id", i)] = platform.AlertRecord{
				AlertSnapshot: integration.AlertSnapshot{ID: fmt.Sprint("id", i), Key: key, Status: status, Teams: []string{team}}, Integration: "int",
				Title: "A call", Fields: []integration.AlertField{{Label: "City", Value: fmt.Sprint("City", i%4)}},
			}
		}
	}
	return w, lists.Source{Browser: w, Platform: w, Store: w, Scope: func(string) platform.Scope { return platform.Scope{} }}
}

// Alerts that are found by their calls are narrowed by what the platform knows, and no page loses
// or repeats one.
func TestAlertsOfACallerAreNarrowedAndPaged(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		query lists.Query
		want  []string
	}{
		"all":      {lists.Query{}, []string{"id0", "id1", "id2", "id3", "id4", "id7", "id8", "id9", "id10", "id11"}},
		"status":   {lists.Query{Status: integration.AlertOpen}, []string{"id0", "id2", "id4", "id8", "id10"}},
		"team":     {lists.Query{Team: "support"}, []string{"id0", "id3", "id9"}},
		"a field":  {lists.Query{Text: "city3"}, []string{"id3", "id7", "id11"}},
		"together": {lists.Query{Status: integration.AlertResolved, Team: "support", Text: "city1"}, []string{"id9"}},
	} {
		for limit := 1; limit <= 12; limit++ {
			_, source := newWorld()
			q, got := tt.query, []string(nil)
			q.From, q.Limit = bobsNumber, limit
			for pages := 0; pages < 20; pages++ {
				list, next, err := source.Alerts(t.Context(), q)
				if err != nil {
					t.Fatal(err)
				}
				if len(list) > limit {
					t.Errorf("%s: a page of %d has %d", name, limit, len(list))
				}
				for _, a := range list {
					got = append(got, a.ID)
				}
				if q.Cursor = next; next == "" {
					break
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("%s, %d a page (-want +got):\n%s", name, limit, diff)
			}
		}
	}
}

// Of several calls about one alert, the list has the newest.
func TestAnAlertHasItsNewestCall(t *testing.T) {
	t.Parallel()
	w, source := newWorld()
	older := w.calls[0]
	older.Key = "CAolder"
	w.calls = append(w.calls, older)
	since, until := time.Unix(1000, 0), time.Unix(2000, 0)
	list, _, err := source.Alerts(t.Context(), lists.Query{Since: since, Until: until, Integration: "int", Status: integration.AlertOpen, Team: "support", Text: "x", Cursor: "c", Limit: 7})
	if err != nil || len(list) != 1 || list[0].Call == nil || list[0].Call.Key != "CAK0" {
		t.Fatalf("the list: %+v (%v)", list, err)
	}
	want := platform.AlertFilter{From: since, Until: until, Integration: "int", Status: integration.AlertOpen, Team: "support", Text: "x", After: "c", Limit: 7}
	if diff := cmp.Diff(want, w.asked); diff != "" {
		t.Errorf("the platform is asked (-want +got):\n%s", diff)
	}
}

// An alert that has outlived its call's record still says who called.
func TestACallerIsKnownByTheAlertAlone(t *testing.T) {
	t.Parallel()
	rec := platform.AlertRecord{Fields: []integration.AlertField{
		{Label: "Caller", Value: bobsNumber, Format: integration.FieldPhone}, {Label: "Called", Value: "+12025550199", Format: integration.FieldPhone},
		{Label: "Caller Name", Value: "Bob"}, {Label: "From City", Value: "Berlin"}, {Label: "To City", Value: "Paris"},
	}}
	if got, want := lists.CallerOf(rec, nil), (lists.Caller{Number: bobsNumber, Name: "Bob", City: "Berlin"}); got != want {
		t.Errorf("the caller is %+v, want %+v", got, want)
	}
	called := &store.Call{View: integration.CallView{From: "", Legs: []integration.LegView{{Role: integration.RoleCaller, Name: "Robert"}}}}
	if got, want := lists.CallerOf(rec, called), (lists.Caller{Name: "Robert", City: "Berlin"}); got != want {
		t.Errorf("a withheld number is %+v, want %+v", got, want)
	}
}

// Until a date means to its end, and since a date from its beginning; what cannot be is refused.
func TestTheTimesOfAQuery(t *testing.T) {
	t.Parallel()
	q, err := lists.Read(url.Values{"since": {"2026-03-04"}, "until": {"2026-03-04"}}, 10)
	if err != nil || !q.Since.Equal(time.Date(2026, 3, 4, 0, 0, 0, 0, time.UTC)) || !q.Until.Equal(time.Date(2026, 3, 5, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("one day is from %v to %v (%v)", q.Since, q.Until, err)
	}
	for name, values := range map[string]url.Values{
		"turned round": {"since": {"2026-03-05"}, "until": {"2026-03-04"}}, "a status": {"status": {"lost"}}, "a control character": {"q": {"a\x00b"}}, "no text": {"q": {"\xff"}},
	} {
		if _, err := lists.Read(values, 10); integration.KindOf(err) != integration.KindInvalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}
