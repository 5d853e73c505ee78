package inforce

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/health"

	"github.com/google/go-cmp/cmp"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/hosttest"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded/switchboardfile"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// awayStore is a store whose database can be away.
type awayStore struct {
	store.Store
	away bool
}

func (s *awayStore) Setting(ctx context.Context, name string) (string, error) {
	if s.away {
		return "", integration.Errorf(integration.KindUnavailable, "away")
	}
	return s.Store.Setting(ctx, name)
}

// sharing is a host that shares the switchboard file in a store. It looks when it is asked to.
type sharing struct {
	*Shared
	t    *testing.T
	sent int
}

func newSharing(t *testing.T, kept store.Store, text string) *sharing {
	t.Helper()
	h := hosttest.New(t)
	s := &sharing{t: t, Shared: NewShared(kept, filepath.Join(t.TempDir(), "switchboard.yaml"), h.Clock, h.Logger)}
	s.Send = func(string) { s.sent++ }
	s.write(text)
	var err error
	s.Source, err = switchboardfile.Open(t.Context(), switchboardfile.SourceConfig{Path: s.path, Clock: h.Clock, Logger: h.Logger, Publish: s.Publish})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// write changes the host's own file.
func (s *sharing) write(text string) {
	s.t.Helper()
	if err := os.WriteFile(s.path, []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

// change changes the host's own file and has it read.
func (s *sharing) change(text string) {
	s.t.Helper()
	s.write(text)
	if err := s.Source.Reload(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
}

// has wants a team to be in force, after a look.
func (s *sharing) has(when, team string, state health.State, message string) {
	s.t.Helper()
	_ = s.look(s.t.Context())
	c := s.Check(s.t.Context())
	if got := s.Source.File().Teams[0].Name; got != team || c.State != state || !strings.Contains(c.Message, message) {
		s.t.Errorf("%s: in force is %s, want %s; %+v", when, got, team, c)
	}
}

func teamCalled(name string) string {
	return strings.Replace(hosttest.File, "name: DevOps", "name: "+name, 1)
}

func TestAChangedFileReachesTheOtherHostsOnceTheDatabaseIsBack(t *testing.T) {
	t.Parallel()
	db := &awayStore{Store: hosttest.New(t).Store}
	one, two := newSharing(t, db, teamCalled("One")), newSharing(t, db, teamCalled("One"))
	db.away = true
	one.change(teamCalled("Two"))
	one.has("while the database is away", "Two", health.StateDegraded, "could not be handed to the others yet")
	two.has("while the database is away", "One", health.StateOK, "")
	db.away = false
	one.has("once it is back", "Two", health.StateOK, "")
	two.has("once it is back", "Two", health.StateDegraded, "switchboard config push")
	if one.sent != 1 || two.sent != 0 {
		t.Errorf("%d and %d notices were sent, want one by the host whose file changed", one.sent, two.sent)
	}
	two.change(teamCalled("Two"))
	if two.has("its own file is the same", "Two", health.StateOK, ""); two.sent != 0 {
		t.Error("a file that is in force already is handed on again")
	}
}

// TestTheFileInForceIsStoredWithItsHash, the machine of the host that put it there, and when. What
// a host of an earlier release puts into force, without a hash, comes into force all the same.
func TestTheFileInForceIsStoredWithItsHash(t *testing.T) {
	t.Parallel()
	db := hosttest.New(t).Store
	one, two := newSharing(t, db, teamCalled("One")), newSharing(t, db, teamCalled("One"))
	machine, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	before := one.clock.Now()
	one.change(teamCalled("Two"))
	after := one.clock.Now()
	text, err := db.Setting(t.Context(), lastGoodSetting)
	if err != nil {
		t.Fatal(err)
	}
	var stored map[string]string
	if err := json.Unmarshal([]byte(text), &stored); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"text": base64.StdEncoding.EncodeToString([]byte(teamCalled("Two"))), "hash": one.Source.File().SharedHash(),
		"kept_at": stored["kept_at"], "by": machine,
	}
	if diff := cmp.Diff(want, stored); diff != "" {
		t.Errorf("stored of the file in force (-want +got):\n%s", diff)
	}
	at, err := time.Parse(time.RFC3339Nano, stored["kept_at"])
	if err != nil || at.Before(before) || at.After(after) {
		t.Errorf("it is in force since %s, want between %s and %s: %v", stored["kept_at"], before, after, err)
	}
	two.has("another host's file", "Two", health.StateDegraded, "switchboard config push")

	earlier, err := json.Marshal(map[string]any{"text": []byte(teamCalled("Three")), "kept_at": one.clock.Now(), "by": "earlier"})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.SetSetting(t.Context(), lastGoodSetting, string(earlier)); err != nil {
		t.Fatal(err)
	}
	one.has("a file of an earlier release", "Three", health.StateDegraded, "switchboard config push")
	if one.last.Hash != one.Source.File().SharedHash() {
		t.Errorf("a file without a hash has %q, want %q", one.last.Hash, one.Source.File().SharedHash())
	}
}

func TestAFileThatAHostCannotUseLeavesTheOldOneInForce(t *testing.T) {
	t.Parallel()
	db := hosttest.New(t).Store
	one := newSharing(t, db, teamCalled("One"))
	if _, err := one.Push(t.Context(), []byte("teams: 5\n")); integration.KindOf(err) != integration.KindInvalid || !strings.Contains(err.Error(), ":1:8: teams: must be a list") {
		t.Errorf("a file with a problem is pushed: %v", err)
	}
	one.has("a file with a problem was pushed", "One", health.StateOK, "")
	// As of a release that knows more.
	if err := db.SetSetting(t.Context(), lastGoodSetting, `{"text":"dGVhbXM6IDUK","kept_at":"2026-01-01T00:00:00Z"}`); err != nil {
		t.Fatal(err)
	}
	one.has("a file that this release cannot read", "One", health.StateDegraded, "teams: must be a list")
	if _, err := one.Push(t.Context(), []byte(teamCalled("Two"))); err != nil {
		t.Fatal(err)
	}
	one.has("another was pushed", "Two", health.StateDegraded, "is not the one in force")
	foreign := "platform: {kind: goalert, url: https://oncall.example.com, credentials: x}\n"
	if _, err := one.Push(t.Context(), []byte(foreign)); err == nil {
		t.Error("a platform without its secrets is pushed")
	}
}
