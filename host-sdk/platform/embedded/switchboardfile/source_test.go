package switchboardfile

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/integration"
)

func TestOpenRefusesABadFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "bad.yaml")
	if err := os.WriteFile(path, []byte("users: 5\nteams: []\nmore: x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Open(t.Context(), SourceConfig{Path: path, Clock: clock.System()})
	var bad *FileError
	if integration.KindOf(err) != integration.KindInvalid || !errors.As(err, &bad) || len(bad.Problems) != 3 {
		t.Errorf("%v", err)
	}
	if !strings.Contains(err.Error(), "bad.yaml:1:8: users: must be a list") {
		t.Errorf("%v", err)
	}
}

func TestAnotherPlatformWaitsForARestart(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "switchboard.yaml")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(remoteFile)
	s, err := Open(t.Context(), SourceConfig{Path: path, Clock: clock.System()})
	if err != nil {
		t.Fatal(err)
	}
	write(strings.Replace(remoteFile, "role: admin", "role: viewer", 1))
	if err := s.Reload(t.Context()); err != nil || s.File().Accounts()[0].Role != RoleViewer {
		t.Errorf("another role is in force at once: %v, %+v", err, s.File().Accounts())
	}
	write(strings.Replace(remoteFile, "incidents.example.com", "other.example.com", 1))
	if err := s.Reload(t.Context()); err == nil || !strings.Contains(Text(s.Status().Refused), "switchboard.yaml:1:11: platform: another platform takes a restart") {
		t.Errorf("another address: %v, %v", err, s.Status().Refused)
	}
	if refused := s.Status().Refused; len(refused) != 1 || !refused[0].Restart {
		t.Errorf("it counts as an error of the file: %+v", refused)
	}
	if s.File().Platform.URL != "https://incidents.example.com/livecall" {
		t.Errorf("in force is %s", s.File().Platform.URL)
	}
}

// A mistake that is saved while the host starts must not end a start for which the file was right.
func TestAFileThatWasReadIsNotReadAgainForTheStart(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "switchboard.yaml")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(remoteFile)
	read, problems := Load(path)
	if read == nil {
		t.Fatal(Text(problems))
	}
	write("users: [")
	s, err := Open(t.Context(), SourceConfig{Path: path, Clock: clock.System(), Instead: &Instead{File: read}})
	if err != nil {
		t.Fatal(err)
	}
	if st := s.Status(); s.File() != read || st.Refused != nil || !st.RefusedSince.IsZero() {
		t.Errorf("in force is %v, refused %v since %v", s.File(), st.Refused, st.RefusedSince)
	}
	if err := s.Reload(t.Context()); err == nil || s.File() != read || s.Status().Refused == nil {
		t.Errorf("the mistake is not noticed afterwards: %v", err)
	}
}

// Of two readings at the same time the later one decides, also where the earlier one takes longer
// to put what it has read in force.
func TestAFileThatIsReadLaterStaysInForce(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "switchboard.yaml")
	write := func(role string) {
		if err := os.WriteFile(path, []byte(strings.Replace(remoteFile, "role: admin", "role: "+role, 1)), 0o600); err != nil {
			t.Error(err)
		}
	}
	write(RoleAdmin)
	var s *Source
	later := make(chan error, 1)
	s, err := Open(t.Context(), SourceConfig{Path: path, Clock: clock.System(), Publish: func(ctx context.Context, f *File) {
		if f.Accounts()[0].Role != RoleViewer {
			return
		}
		write(RoleResponder)
		go func() { later <- s.Reload(ctx) }()
		select { // one that does not wait for this one ends meanwhile
		case err := <-later:
			later <- err
		case <-time.After(100 * time.Millisecond):
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	write(RoleViewer)
	if err := errors.Join(s.Reload(t.Context()), <-later); err != nil {
		t.Fatal(err)
	}
	if got := s.File().Accounts()[0].Role; got != RoleResponder {
		t.Errorf("in force is the role %s, want %s", got, RoleResponder)
	}
}
