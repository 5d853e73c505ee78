package engine

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

func TestTaskItems(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_800_000_000, 0)
	later, last := now.Add(time.Minute), now.Add(time.Hour)
	for name, tc := range map[string]struct {
		task integration.Task
		want store.Item
	}{
		"at once":             {integration.Task{Name: "t", Generation: 2}, store.Item{Kind: store.ItemTask, Lane: "task/t", Name: "t", Generation: 2, Due: now, NotAfter: now.Add(time.Hour)}},
		"long ago":            {integration.Task{Name: "t", At: now.Add(-time.Hour)}, store.Item{Kind: store.ItemTask, Lane: "task/t", Name: "t", Due: now, NotAfter: now.Add(time.Hour)}},
		"later":               {integration.Task{Name: "t", At: later}, store.Item{Kind: store.ItemTask, Lane: "task/t", Name: "t", Due: later, NotAfter: later.Add(time.Hour)}},
		"with an end":         {integration.Task{Name: "t", At: later, NotAfter: last}, store.Item{Kind: store.ItemTask, Lane: "task/t", Name: "t", Due: later, NotAfter: last}},
		"a timer has no lane": {integration.Task{Name: "t", Timer: true, At: later}, store.Item{Kind: store.ItemTimer, Name: "t", Due: later}},
		"cancelled":           {integration.Task{Name: "t", Timer: true, Cancel: true, Generation: 3}, store.Item{Kind: store.ItemTimer, Name: "t", Generation: 3, Cancel: true, Due: now}},
	} {
		if diff := cmp.Diff(tc.want, taskItem(tc.task, now)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestAnOutcomeIsOneCommit(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_800_000_000, 0)
	none := loaded{facts: integration.Facts{Now: now}, integration: store.Integration{ID: "i", Revision: 7}}
	known := none
	known.session = &store.Session{Session: integration.Session{Version: 4}, Revision: 3}
	j := job{integration: "i", key: "K", handler: "task"}

	c, err := j.commit(none, integration.Outcome{})
	if diff := cmp.Diff(store.Commit{Integration: "i", Key: "K", Now: now}, c); err != nil || diff != "" {
		t.Errorf("a quiet outcome: %v (-want +got):\n%s", err, diff)
	}
	j.done, j.extra = &store.Item{ID: 9}, []store.Item{{Name: "next"}}
	c, err = j.commit(known, integration.Outcome{
		Session:  &integration.SessionUpdate{State: []byte("s"), Format: 2, AlertKey: "a", Occupies: []string{"alice"}, Live: true, ExpiresAt: now.Add(time.Hour), Call: &integration.CallView{ID: "K"}},
		Findings: []integration.Finding{{Code: "c"}},
		Alert:    []integration.AlertCommand{{Number: 1}, {Number: 2}},
		Mail:     []integration.Mail{{Key: "m"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if c.Version != 4 || c.Done != 9 || len(c.Findings) != 1 || len(c.Items) != 4 || c.Items[0].Name != "next" {
		t.Errorf("commit %+v", c)
	}
	want := &store.Session{
		Session: integration.Session{Key: "K", State: []byte("s"), Format: 2}, Integration: "i", Revision: 7,
		AlertKey: "a", Occupies: []string{"alice"}, Live: true, ExpiresAt: now.Add(time.Hour), Call: &integration.CallView{ID: "K"},
		Alert: &store.AlertMemory{Commands: store.CommandsGiven, Last: 2},
	}
	if diff := cmp.Diff(want, c.Session); diff != "" {
		t.Errorf("session (-want +got):\n%s", diff)
	}
	for i, lane := range []string{"", "alert", "alert", ""} {
		it := c.Items[i]
		if it.Lane != lane || i > 0 && (it.Integration != "i" || it.Key != "K" || !it.NotAfter.Equal(now.Add(24*time.Hour)) || !it.Due.Equal(now)) {
			t.Errorf("item %d: %+v", i, it)
		}
	}
	// Commands alone leave the session as it is, but for what it remembers of its alert.
	c, err = job{integration: "i", key: "K", handler: "task"}.commit(known, integration.Outcome{Alert: []integration.AlertCommand{{Number: 3}}})
	left := *known.session
	left.Alert = &store.AlertMemory{Commands: store.CommandsGiven, Last: 3}
	if diff := cmp.Diff(&left, c.Session); err != nil || diff != "" {
		t.Errorf("commands alone: %v, session (-want +got):\n%s", err, diff)
	}
	// A time beyond the year 9999 cannot be written.
	far := time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)
	for name, o := range map[string]integration.Outcome{
		"command": {Alert: []integration.AlertCommand{{At: far}}},
		"task":    {Tasks: []integration.Task{{At: far}}},
		"mail":    {Mail: []integration.Mail{{At: far}}},
	} {
		if _, err := j.commit(known, o); err == nil {
			t.Errorf("a %s that cannot be written is committed", name)
		}
	}
	j.key = ""
	for name, o := range map[string]integration.Outcome{
		"session": {Session: &integration.SessionUpdate{}}, "command": {Alert: []integration.AlertCommand{{}}},
		"task": {Tasks: []integration.Task{{}}}, "mail": {Mail: []integration.Mail{{}}},
	} {
		if _, err := j.commit(none, o); integration.KindOf(err) != integration.KindInternal {
			t.Errorf("a %s for a request that names no session: %v", name, err)
		}
	}
	if _, err := j.commit(none, integration.Outcome{Findings: []integration.Finding{{Code: "c"}}}); err != nil {
		t.Errorf("findings need no session: %v", err)
	}
}

func TestNewFillsInWhatIsOptional(t *testing.T) {
	t.Parallel()
	cfg := Config{Store: struct{ store.Store }{}, Platform: struct{ platform.Platform }{}, Plugins: struct{ Plugins }{}, EndpointURL: func(string) string { return "" }}
	e, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if e.clock == nil || e.log == nil || e.metrics == nil || e.cfg.MediaURL(store.Medium{}) != "" || e.cfg.Workers != 16 {
		t.Errorf("engine %+v", e.cfg)
	}
	own := cfg
	own.Workers, own.Metrics = 3, NewMetrics()
	if e, err = New(own); err != nil || e.metrics != own.Metrics.counts || e.cfg.Workers != 3 {
		t.Errorf("%d workers, metrics replaced %v, %v", e.cfg.Workers, e.metrics != own.Metrics.counts, err)
	}
	for name, spoil := range map[string]func(*Config){
		"Store": func(c *Config) { c.Store = nil }, "Platform": func(c *Config) { c.Platform = nil },
		"Plugins": func(c *Config) { c.Plugins = nil }, "EndpointURL": func(c *Config) { c.EndpointURL = nil },
	} {
		c := cfg
		spoil(&c)
		if _, err := New(c); err == nil {
			t.Errorf("an engine without %s", name)
		}
	}
}
