package lists_test

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/hosttest"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/lists"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

func TestNoCellIsAFormula(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"": "", "Alice": "Alice", "+12025550143": "'+12025550143", "=1+1": "'=1+1", "-1": "'-1", "@SUM(A1)": "'@SUM(A1)", "\t=1": "'\t=1", "'x": "'x", "a=b": "a=b", "دبي": "دبي",
	} {
		if got := lists.Cell(text); got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
}

// An export has every call, however many are read at a time, and what people wrote stays in its
// cell.
func TestAnExportHasEveryCall(t *testing.T) {
	t.Parallel()
	h := hosttest.New(t)
	began := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	const calls = 1203
	for i := range calls {
		view := &integration.CallView{ID: fmt.Sprint("CA", i), From: "+12025550143", To: "+12025550100", Ended: "connected", TeamName: "Dev, \"Ops\"\n=x", StartedAt: began, EndedAt: began.Add(90 * time.Second),
			Legs: []integration.LegView{{Role: integration.RoleCaller, Name: "=HYPERLINK()"}, {Role: integration.RoleResponder, Name: "Zoë", Reason: integration.LegTalked}, {Role: integration.RoleResponder, Name: "Bob", Reason: "busy"}}}
		if _, err := h.Store.Commit(t.Context(), store.Commit{Integration: "int_1", Key: view.ID, Now: began.Add(time.Duration(i) * time.Second), Call: &store.CallUpdate{New: true, IntegrationName: "Hotline", View: view}}); err != nil {
			t.Fatal(err)
		}
	}
	var file bytes.Buffer
	flushed := 0
	err := lists.Source{Store: h.Store, Platform: h.Platform}.WriteCSV(t.Context(), &file, store.CallFilter{}, began, func() error { flushed++; return nil })
	if err != nil {
		t.Fatal(err)
	}
	text, marked := strings.CutPrefix(file.String(), "\ufeff")
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil || !marked || len(rows) != calls+1 || flushed < 3 {
		t.Fatalf("%d rows in %d parts, with a byte order mark: %v (%v)", len(rows), flushed, marked, err)
	}
	want := []string{"CA1202", "Hotline", "'+12025550143", "'=HYPERLINK()", "'+12025550100", "Dev, \"Ops\"\n=x", "2026-03-04T05:06:07Z", "2026-03-04T05:07:37Z", "90", "", "connected", "Zoë", "0", ""}
	if diff := cmp.Diff(want, rows[1]); diff != "" {
		t.Errorf("the first row (-want +got):\n%s", diff)
	}
}

// What a caller waited is known as well as the host has noted it.
func TestHowLongACallerWaited(t *testing.T) {
	t.Parallel()
	began := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	talked := []integration.LegView{{Role: integration.RoleResponder, Reason: integration.LegTalked}}
	for name, c := range map[string]struct {
		call  store.Call
		want  time.Duration
		known bool
	}{
		"until they spoke":         {store.Call{AnsweredAt: began.Add(20 * time.Second), View: integration.CallView{StartedAt: began, EndedAt: began.Add(time.Hour), Legs: talked}}, 20 * time.Second, true},
		"spoke at an unknown time": {store.Call{View: integration.CallView{StartedAt: began, EndedAt: began.Add(time.Hour), Legs: talked}}, 0, false},
		"until they hung up":       {store.Call{View: integration.CallView{StartedAt: began, EndedAt: began.Add(time.Minute)}}, time.Minute, true},
		"gone before it was over":  {store.Call{Live: true, View: integration.CallView{StartedAt: began, EndedAt: began.Add(time.Minute), Legs: []integration.LegView{{Role: integration.RoleCaller, EndedAt: began.Add(12 * time.Second)}}}}, 12 * time.Second, true},
		"message is delivered":     {store.Call{Live: true, View: integration.CallView{StartedAt: began, Legs: []integration.LegView{{Role: integration.RoleCaller, EndedAt: began.Add(12 * time.Second)}}}}, 12 * time.Second, true},
		"is waiting":               {store.Call{Live: true, View: integration.CallView{StartedAt: began}}, 5 * time.Minute, true},
		"lost without an end":      {store.Call{View: integration.CallView{StartedAt: began}}, 0, false},
		"began at an unknown time": {store.Call{Live: true}, 0, false},
	} {
		if got, known := lists.Waited(&c.call, began.Add(5*time.Minute)); got != c.want || known != c.known {
			t.Errorf("%s: %v %v, want %v %v", name, got, known, c.want, c.known)
		}
	}
	if _, known := lists.Waited(nil, began); known {
		t.Error("an alert without a call has waited")
	}
}

// A caller who has gone is not there, though the call is still at work.
func TestACallerWhoHasGoneIsNotThere(t *testing.T) {
	t.Parallel()
	gone := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	for name, c := range map[string]struct {
		call store.Call
		want bool
	}{
		"on hold":                    {store.Call{Live: true, View: integration.CallView{State: "holding"}}, true},
		"over":                       {store.Call{View: integration.CallView{Ended: "hung_up"}}, false},
		"whose message is delivered": {store.Call{Live: true, View: integration.CallView{Ended: "message_left", EndedAt: gone}}, false},
		"whose message is fetched":   {store.Call{Live: true, View: integration.CallView{Legs: []integration.LegView{{Role: integration.RoleCaller, EndedAt: gone}}}}, false},
	} {
		if got := lists.Present(c.call); got != c.want {
			t.Errorf("%s: present %v, want %v", name, got, c.want)
		}
	}
}
