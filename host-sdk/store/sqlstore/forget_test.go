package sqlstore_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// The files of a SQLite database hold nothing of a caller who was forgotten, however often the call
// was written.
func TestFilesHoldNothingOfAForgottenCaller(t *testing.T) {
	t.Parallel()
	const number = "+12025550177"
	dir := t.TempDir()
	s, err := tryURL("sqlite:"+filepath.Join(dir, "host.db"), secretKey)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	now := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	for i := range int64(20) {
		view := &integration.CallView{ID: "CA1", From: number}
		_, err := s.Commit(t.Context(), store.Commit{Integration: "int_1", Key: "CA1", Version: i, Now: now,
			Session: &store.Session{Session: integration.Session{State: []byte(number + string(bytes.Repeat([]byte("x"), int(i)*700)))}, Live: i < 19, Call: view},
			Call:    &store.CallUpdate{New: i == 0, Live: i < 19, View: view, Story: []store.StoryLine{{At: now, Text: number + " called"}}}})
		if err != nil {
			t.Fatal(err)
		}
	}
	found := func() (in []string) {
		files, err := filepath.Glob(filepath.Join(dir, "*"))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			if data, err := os.ReadFile(f); err != nil { //nolint:gosec // of this test
				t.Fatal(err)
			} else if bytes.Contains(data, []byte(number[1:])) {
				in = append(in, filepath.Base(f))
			}
		}
		return in
	}
	if len(found()) == 0 {
		t.Fatal("the number is not where it should be before it is forgotten")
	}
	if _, err := s.ForgetCalls(t.Context(), []store.CallRef{{Integration: "int_1", Key: "CA1"}}, store.Deletion{At: now}); err != nil {
		t.Fatal(err)
	}
	if err := s.Scrub(t.Context()); err != nil {
		t.Fatal(err)
	}
	if in := found(); len(in) != 0 {
		t.Errorf("the number is still in %v", in)
	}
}
