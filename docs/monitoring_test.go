package docs_test

import (
	"encoding/json"
	"os/exec"
	"strings"
	"testing"

	"github.com/livecallrouting/livecall/integration-tests/component"
)

func TestRulesFireWhenTheyShouldAndOnlyThen(t *testing.T) {
	t.Parallel()
	promtool := component.Get(t, component.Monitoring, func() (string, error) { return exec.LookPath("promtool") })
	cmd := exec.CommandContext(t.Context(), promtool, "test", "rules", "rules_test.yaml")
	cmd.Dir = "monitoring"
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	tested := read(t, "monitoring/rules_test.yaml")
	for line := range strings.Lines(read(t, "monitoring/rules.yaml")) {
		if name, ok := strings.CutPrefix(strings.TrimSpace(line), "- alert: "); ok && !strings.Contains(tested, "alertname: "+name+"\n        exp_alerts:\n") {
			t.Errorf("no test makes %s fire", name)
		}
	}
}

func TestTheDashboardCanBeImported(t *testing.T) {
	t.Parallel()
	var dashboard struct {
		UID, Title    string
		SchemaVersion int
		Panels        []struct {
			ID      int
			Title   string
			Targets []struct{ Expr, RefID string }
		}
	}
	if err := json.Unmarshal([]byte(read(t, "monitoring/dashboard.json")), &dashboard); err != nil {
		t.Fatal(err)
	}
	if dashboard.UID == "" || dashboard.Title == "" || dashboard.SchemaVersion == 0 || len(dashboard.Panels) < 10 {
		t.Errorf("the dashboard is not whole: %+v", dashboard)
	}
	seen := map[int]bool{}
	for _, p := range dashboard.Panels {
		if p.Title == "" || len(p.Targets) == 0 || seen[p.ID] {
			t.Errorf("panel %d %q has no title, no question, or an id twice", p.ID, p.Title)
		}
		seen[p.ID] = true
	}
}
