package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/hosttest"
	"github.com/livecallrouting/livecall/host-sdk/store/seal"
	"github.com/livecallrouting/livecall/integration-tests/postgres"
)

// keyID is the id of a key, which is no secret.
func keyID(t *testing.T, text string) string {
	t.Helper()
	k, err := seal.ParseKey(text)
	if err != nil {
		t.Fatal(err)
	}
	return k.ID()
}

// kept reads a file of the data directory.
func kept(t *testing.T, dir, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "data", name))
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(text))
}

// optionsOpen checks that a host can read what is sealed of an integration.
func (p *process) optionsOpen(id, token string) {
	p.t.Helper()
	if status, body := p.send("GET", "/api/v1/integrations/"+id, token, "", ""); status != 200 || !strings.Contains(body, `"zeta":"hello"`) {
		p.t.Errorf("the integration: %d %s", status, body)
	}
}

// The key that the data directory keeps is changed while the host runs, with one start in between.
func TestTheKeptKeyIsChangedWhileTheHostRuns(t *testing.T) {
	t.Parallel()
	dir := newDir(t, hosttest.File)
	says(t, dir, nil, 1, []string{"contains no database"}, "rekey")
	p := start(t, dir).ready()
	id, old := p.create(p.token()), kept(t, dir, "secret-key")
	says(t, dir, nil, 1, []string{"nothing is being changed"}, "rekey", "--check")
	says(t, dir, nil, 0, []string{"A new key was made", "Start switchboard again"}, "rekey")
	next := kept(t, dir, "next-secret-key")
	says(t, dir, nil, 1, []string{"nothing was changed", "cannot read with the next key", keyID(t, next), "start it again"}, "rekey")
	p.optionsOpen(id, p.token())
	p.stop()

	p = start(t, dir).ready()
	if !strings.Contains(p.log.String(), "run switchboard rekey to change to it") {
		t.Errorf("the start does not say that a change is prepared: %s", p.log)
	}
	says(t, dir, nil, 1, []string{"is sealed with the key " + keyID(t, old), "do not open with the key"}, "rekey", "--check")
	says(t, dir, nil, 0, []string{"Nothing is left of the key " + keyID(t, old), "old-secret-key-" + keyID(t, old), "integration_options: 1 value looked at, 1 sealed anew"}, "rekey")
	if got := kept(t, dir, "secret-key"); got != next {
		t.Error("the data directory does not keep the next key")
	}
	if got := kept(t, dir, "old-secret-key-"+keyID(t, old)); got != old {
		t.Error("the old key is not kept for backups")
	}
	p.optionsOpen(id, p.token())
	second := p.create(p.token())
	p.stop()
	if _, err := os.Stat(filepath.Join(dir, "data", "next-secret-key")); !os.IsNotExist(err) {
		t.Errorf("a next key is left: %v", err)
	}
	p = start(t, dir, "SWITCHBOARD_SECRET_KEY="+next).ready() // the new key alone
	p.optionsOpen(id, p.token())
	p.optionsOpen(second, p.token())
	p.stop()
	if p := start(t, dir, "SWITCHBOARD_SECRET_KEY="+old); p.wait() != 1 || !strings.Contains(p.log.String(), "written with another SWITCHBOARD_SECRET_KEY") {
		t.Errorf("with the old key: %s", p.log)
	}
	// Without a host the whole change is one command.
	says(t, dir, nil, 0, []string{"Nothing is left of the key " + keyID(t, next)}, "rekey")
	start(t, dir).ready().optionsOpen(id, p.token())
}

// Two hosts share a database. The key is not changed before both have the next one.
func TestTheKeyOfSeveralHostsIsChangedOnceAllHaveBoth(t *testing.T) {
	t.Parallel()
	dir, elsewhere := newDir(t, hosttest.File), newDir(t, hosttest.File)
	old, next := seal.NewKey(), seal.NewKey()
	const token = "a-token-of-all-hosts"
	shared := []string{"SWITCHBOARD_DATABASE_URL=" + postgres.Database(t), "SWITCHBOARD_API_TOKEN=" + token}
	with := func(keys ...string) []string {
		names := []string{"SWITCHBOARD_SECRET_KEY=", "SWITCHBOARD_NEXT_SECRET_KEY="}
		env := append([]string{}, shared...)
		for i, k := range keys {
			env = append(env, names[i]+k)
		}
		return env
	}
	first, second := start(t, dir, with(old)...).ready(), start(t, elsewhere, with(old)...).ready()
	id := first.create(token)
	listed := func(p *process, host *process) {
		t.Helper()
		hosttest.Eventually(t, "the host is listed", func() bool {
			_, body := p.send("GET", "/api/v1/hosts", token, "", "")
			return strings.Contains(body, strings.TrimPrefix(host.url, "http://"))
		})
	}
	listed(first, second)
	says(t, dir, with(old), 1, []string{"set SWITCHBOARD_NEXT_SECRET_KEY, on every host"}, "rekey")
	says(t, dir, with(old, old), 1, []string{"is the secret key itself"}, "rekey")
	says(t, dir, with(old, "canary-too-short"), 1, []string{"next_secret_key: want 32 random bytes", "openssl rand -base64 32"}, "rekey")
	says(t, dir, with(seal.NewKey(), next), 1, []string{"cannot read with the next key"}, "rekey")

	first.stop()
	first = start(t, dir, with(old, next)...).ready()
	listed(second, first)
	says(t, dir, with(old, next), 1, []string{"nothing was changed", strings.TrimPrefix(second.url, "http://"), "cannot read with the next key"}, "rekey")
	if status, out := terminal(t, dir, with(old, next), "rekey"); status != 1 || strings.Contains(out, strings.TrimPrefix(first.url, "http://")) {
		t.Errorf("the host that has both keys is named: %s", out)
	}
	both := first.create(token) // still with the old key, which the second host reads
	second.optionsOpen(both, token)
	second.stop()
	second = start(t, elsewhere, with(old, next)...).ready()
	listed(first, second)
	says(t, dir, with(seal.NewKey(), next), 1, []string{"written with another SWITCHBOARD_SECRET_KEY"}, "rekey")
	says(t, dir, with(old, next), 0, []string{"Nothing is left of the key " + keyID(t, old), "becomes the value of SWITCHBOARD_NEXT_SECRET_KEY", "is removed"}, "rekey")
	says(t, dir, with(old, next), 0, []string{"Sealed anew: 0 values"}, "rekey")
	after := second.create(token) // with the new key
	for _, p := range []*process{first, second} {
		for _, in := range []string{id, both, after} {
			p.optionsOpen(in, token)
		}
	}
	for _, p := range []*process{first, second} {
		if p.stop() != 0 || strings.Contains(p.log.String(), "canary") {
			t.Errorf("%s", p.log)
		}
	}
	first = start(t, dir, with(next)...).ready()
	first.optionsOpen(id, token)
	says(t, dir, with(next, old), 1, []string{"is sealed with the key " + keyID(t, next)}, "rekey", "--check")
	if p := start(t, elsewhere, with(old)...); p.wait() != 1 || !bytes.Contains([]byte(p.log.String()), []byte("written with another SWITCHBOARD_SECRET_KEY")) {
		t.Errorf("a host with the old key alone: %s", p.log)
	}
}
