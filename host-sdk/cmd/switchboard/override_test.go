package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/api"
)

// TestOverrides enters a shift and an absence by the running host, and without one in the database
// itself. Both count for who is on call.
func TestOverrides(t *testing.T) {
	t.Parallel()
	dir := newDir(t, twoWeeks)
	env := []string{"TZ=UTC", "SWITCHBOARD_LISTEN=127.0.0.1:0", "SWITCHBOARD_DATA_DIR=" + filepath.Join(dir, "data"), "SWITCHBOARD_PLUGIN_DIR=" + pluginHome}
	from := time.Now().UTC().Add(100 * time.Hour).Truncate(time.Hour)
	at := func(hours int) string { return from.Add(time.Duration(hours) * time.Hour).Format("2006-01-02T15:04") }
	check := func(kept bool) {
		t.Helper()
		says(t, dir, env, 0, []string{"Bob Example (override)"}, "oncall", "--at", at(1))
		says(t, dir, env, 0, []string{"nobody"}, "oncall", "--at", at(5))
		says(t, dir, env, 1, []string{"there is no changed shift", ": switchboard override list shows all"}, "override", "remove", "none")
		_, out := terminal(t, dir, env, "override", "list", "--json")
		var list []api.Override
		if err := json.Unmarshal([]byte(out), &list); err != nil || len(list) != 3 {
			t.Fatalf("the list is %s (%v)", out, err)
		}
		if kept {
			return
		}
		says(t, dir, env, 0, []string{"{", `  "id": "` + list[0].ID + `"`, "}"}, "override", "remove", "--json", list[0].ID)
		for _, o := range list[1:] {
			says(t, dir, env, 0, []string{"is removed: the schedule counts again"}, "override", "remove", o.ID)
		}
		says(t, dir, env, 0, []string{"Nobody has changed who is on call, or is away, after "}, "override", "list")
		if _, out := terminal(t, dir, env, "oncall", "--at", at(1)); strings.Contains(out, "(override)") {
			t.Errorf("after the removal: %s", out)
		}
	}
	for _, args := range [][]string{{"add", "--away", "--user", "bob", "--to", at(6)}, {"list"}, {"remove", "none"}} {
		says(t, dir, env, 1, []string{"it contains no database yet: run switchboard serve first"}, append([]string{"override"}, args...)...)
	}
	p := start(t, dir).ready()
	says(t, dir, env, 0, []string{"layer 1 of devops", "a swap"}, "override", "add", "--team", "devops", "--user", "bob", "--from", at(0), "--to", at(2), "--note", "a swap")
	says(t, dir, env, 0, []string{"alice", "away"}, "override", "add", "--user", "alice", "--away", "--from", at(4), "--to", at(6))
	says(t, dir, env, 0, []string{"{", `  "user": "bob",`, "}"}, "override", "add", "--json", "--user", "bob", "--away", "--from", at(4), "--to", at(6))
	says(t, dir, env, 1, []string{"Alice Example is away from"}, "override", "add", "--team", "devops", "--user", "alice", "--from", at(5), "--to", at(7))
	check(true)
	p.stop()
	says(t, dir, env, 1, []string{"Alice Example is away from"}, "override", "add", "--team", "devops", "--user", "alice", "--from", at(5), "--to", at(7))
	// Bob has left.
	path := filepath.Join(dir, "switchboard.yaml")
	if err := os.WriteFile(path, []byte(strings.ReplaceAll(twoWeeks, "bob", "bert")), 0o600); err != nil {
		t.Fatal(err)
	}
	says(t, dir, env, 0, []string{"layer 1 of devops (does not count: the person has left the switchboard file)"}, "override", "list")
	if err := os.WriteFile(path, []byte(twoWeeks), 0o600); err != nil {
		t.Fatal(err)
	}
	check(false)
}
