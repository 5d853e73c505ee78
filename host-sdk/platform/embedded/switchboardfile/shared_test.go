package switchboardfile

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/livecallrouting/livecall/host-sdk/clock"
)

func TestHashOfWhatHostsShareLeavesOutSettings(t *testing.T) {
	t.Parallel()
	const with, other, without = "users: []\nsettings:\n  # of this host\n  listen: a\nteams: []\n", "users: []\nsettings: {listen: b}\nteams: []\n", "users: []\nteams: []\n"
	if SharedHash([]byte(with)) != SharedHash([]byte(without)) || SharedHash([]byte(other)) != SharedHash([]byte(without)) {
		t.Error("settings make another file")
	}
	if SharedHash([]byte(with)) == SharedHash([]byte(with+"routers: []\n")) {
		t.Error("another section makes no other file")
	}
	// Hosts of other releases compare theirs with it.
	const sum = "1d6c1972343666e705a677f7dca75afca83291808b692f43407fad685912a10d"
	if got := SharedHash([]byte(without)); got != sum {
		t.Errorf("the hash of %q is %s, want %s as in every release", without, got, sum)
	}
}

// TestAFileThatHasNotChangedStaysOutOfForce starts with the file that hosts share, which is not the
// one on disk, and then changes the one on disk.
func TestAFileThatHasNotChangedStaysOutOfForce(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "switchboard.yaml")
	role := func(role string) string { return strings.Replace(remoteFile, "role: admin", "role: "+role, 1) }
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	parse := func(text string) *File {
		f, problems := Parse(path, []byte(text))
		if f == nil {
			t.Fatal(Text(problems))
		}
		return f
	}
	write(role("viewer"))
	var published []string
	s, err := Open(t.Context(), SourceConfig{Path: path, Clock: clock.System(),
		Instead: &Instead{File: parse(role("admin")), OnDisk: parse(role("viewer"))},
		Publish: func(_ context.Context, f *File) { published = append(published, f.Accounts()[0].Role) }})
	if err != nil {
		t.Fatal(err)
	}
	inForce := func(when string, want string, refused bool, wantPublished int) {
		t.Helper()
		if got := s.File().Accounts()[0].Role; got != want || len(published) != wantPublished || (s.Status().Refused != nil) != refused {
			t.Errorf("%s: in force is %s, published was %v, refused is %v; want %s", when, got, published, s.Status().Refused, want)
		}
	}
	reload := func() { _ = s.Reload(t.Context()) }
	reload()
	inForce("the file on disk as it was", RoleAdmin, false, 0)
	write(role("viewer") + "settings: {log_level: debug}\n")
	reload()
	inForce("with other settings", RoleAdmin, false, 0)
	write("teams: 5\n")
	reload()
	inForce("with a mistake", RoleAdmin, true, 0)
	write(role("viewer"))
	reload()
	inForce("corrected to what it was", RoleAdmin, false, 0)
	write(role("responder"))
	reload()
	inForce("changed", RoleResponder, false, 1)
	if err := s.Take(parse(role("admin"))); err != nil {
		t.Fatal(err)
	}
	reload()
	inForce("after another host's file was taken over", RoleAdmin, false, 1)
	if err := s.Take(parse(strings.Replace(role("viewer"), "incidents.example.com", "other.example.com", 1))); err == nil {
		t.Error("another platform comes into force without a restart")
	}
	inForce("after another platform", RoleAdmin, false, 1)
}
