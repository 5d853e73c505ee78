package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/hosttest"
)

// A file that was harmless while the host ran must not turn the next reboot into an outage.
func TestABrokenFileStartsOnTheLastGoodCopy(t *testing.T) {
	t.Parallel()
	dir := newDir(t, hosttest.File)
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, "switchboard.yaml"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	p := start(t, dir).ready()
	id := p.create(p.token())
	p.stop()
	for name, broken := range map[string]string{
		"no YAML":      "users:\n  - {id: alice\n",
		"a fault":      strings.Replace(hosttest.File, "America/New_York", "America/Nowhere", 1),
		"a bad option": hosttest.File + "settings: {lisen: \":1\"}\n",
		"empty":        "",
	} {
		t.Run(name, func(t *testing.T) {
			write(broken)
			p := start(t, dir).ready()
			if status, body := p.webhook(id, "Call=CA01&From=%2B12025550143"); status != 200 || body != "please hold" {
				t.Errorf("a caller gets %d %q", status, body)
			}
			p.readyz(200, `"status":"degraded"`, "the last good version of it is in use")
			if _, body := p.send("GET", "/api/v1/integrations/"+id, p.token(), "", ""); !strings.Contains(body, "switchboard-file") || !strings.Contains(body, "config check") {
				t.Errorf("the integration says nothing of it: %s", body)
			}
			if log := p.log.String(); !strings.Contains(log, "the last good copy of it is used") {
				t.Errorf("the log says nothing of it:\n%s", log)
			}
			write(hosttest.File)
			p.readyz(200, `"status":"ready"`)
			hosttest.Eventually(t, "the finding is gone", func() bool {
				_, body := p.send("GET", "/api/v1/integrations/"+id, p.token(), "", "")
				return !strings.Contains(body, "switchboard-file")
			})
			if got := p.stop(); got != 0 {
				t.Errorf("exit status %d\n%s", got, p.log)
			}
		})
	}
}

// A file that is wrong for a while must be seen by whoever watches the host, and its end as well.
func TestARefusedReloadIsVisibleUntilTheFileIsRightAgain(t *testing.T) {
	t.Parallel()
	dir := newDir(t, hosttest.File)
	p := start(t, dir).ready()
	path := filepath.Join(dir, "switchboard.yaml")
	if err := os.WriteFile(path, []byte(strings.Replace(hosttest.File, "America/New_York", "America/Nowhere", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	p.readyz(200, `"status":"degraded"`, "America/Nowhere", `"since":`)
	if err := os.WriteFile(path, []byte(hosttest.File), 0o600); err != nil {
		t.Fatal(err)
	}
	p.readyz(200, `"status":"ready"`)
	p.says("is right again")
}
