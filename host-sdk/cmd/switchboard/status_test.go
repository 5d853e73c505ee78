package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestStatus asks the running host, also while its file is wrong, and then the database itself.
func TestStatus(t *testing.T) {
	t.Parallel()
	dir, elsewhere := newDir(t, twoWeeks), newDir(t, twoWeeks)
	p := start(t, dir).ready()
	p.create(p.token())
	token := []string{"SWITCHBOARD_API_TOKEN=" + p.token()}
	whole := []string{"switchboard ", " up ", "SQLite, ", "switchboard.db", " is in force since ", ", as in ", "live calls", "testline  1.2.3", "No work is overdue."}
	runsUntil(t, dir, nil, 0, append(whole, "HOST"), "status") // once the host knows of itself
	runsUntil(t, elsewhere, token, 0, whole, "status", "--host", p.url+"/")
	says(t, elsewhere, []string{"SWITCHBOARD_API_TOKEN=canary-that-is-wrong"}, 1, []string{"refuses the API token", "set SWITCHBOARD_API_TOKEN"}, "status", "--host", p.url)

	runsUntil(t, dir, nil, 0, nil, "status", "--ready")
	runsUntil(t, elsewhere, nil, 0, nil, "status", "--ready", "--host", p.url+"/")

	text := runsUntil(t, dir, nil, 0, []string{`"status": "ready"`}, "status", "--json")
	var st struct {
		Status  string
		File    struct{ Hash, By, Since string } `json:"switchboard_file"`
		Plugins []struct{ ID, State string }
		Hosts   []struct {
			FileHash string `json:"file_hash"`
		}
		Checks map[string]struct{ State string }
	}
	if err := json.Unmarshal([]byte(text), &st); err != nil || st.Status == "" || len(st.Plugins) != 1 || st.Plugins[0].State != "ready" || len(st.Hosts) != 1 ||
		st.Hosts[0].FileHash != st.File.Hash || len(st.File.Hash) != 64 || st.File.By == "" || st.File.Since == "" || st.Checks["store"].State != "ok" {
		t.Errorf("status --json: %v: %+v\n%s", err, st, text)
	}

	if err := os.WriteFile(filepath.Join(dir, "switchboard.yaml"), []byte("teams: 5\nsettings: {data_dir: data}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	// The wrong file is the only one to say where the host is.
	byFile := []string{"SWITCHBOARD_DATA_DIR="}
	runsUntil(t, dir, byFile, 0, []string{"is degraded", "cannot be used: ", "switchboard config check"}, "status")
	runsUntil(t, dir, byFile, 0, nil, "status", "--ready")
	says(t, dir, byFile, 0, []string{"WEEK ("}, "stats")

	if got := p.stop(); got != 0 {
		t.Fatalf("switchboard has ended with %d", got)
	}
	says(t, elsewhere, nil, 1, []string{"no switchboard answers at " + p.url}, "status", "--ready", "--host", p.url)
	says(t, dir, nil, 1, []string{"No switchboard runs here", "switchboard serve", "SQLite, ", st.File.Hash[:12] + " is in force since ", " by " + st.File.By + "; ", "live calls"}, "status")
	if status, out := terminal(t, dir, nil, "status", "--json"); status != 1 || !strings.Contains(out, `"not_running"`) {
		t.Errorf("status --json of a host that has stopped: status %d\n%s", status, out)
	}
}
