package call

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// start is when the stored calls began.
var start = time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)

func same(t *testing.T, got, want any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("(-want +got):\n%s", diff)
	}
}

func mustJSON(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatalf("json: %v", err)
	}
	return string(b)
}

func mustRead(t *testing.T, file string) []byte {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// read is one of the stored calls of testdata, which have format 1.
func read(t *testing.T, name string) State {
	t.Helper()
	s, err := Read(mustRead(t, "testdata/state-"+name+".json"), 1)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return s
}

// TestAStateIsWrittenInTheFormatThatIsAskedFor, or in the nearest that this version writes.
func TestAStateIsWrittenInTheFormatThatIsAskedFor(t *testing.T) {
	t.Parallel()
	before := read(t, "holding")
	for _, tc := range [][2]int{{0, Format}, {1, oldestWritten}, {oldestWritten, oldestWritten}, {Format, Format}, {Format + 1, Format}} {
		asked, want := tc[0], tc[1]
		data, format, err := Write(before, asked)
		if err != nil || format != want {
			t.Errorf("asked for %d: format %d, %v; want %d", asked, format, err, want)
		}
		again, err := Read(data, format)
		again.Format = before.Format
		if err != nil || !cmp.Equal(before, again) {
			t.Errorf("asked for %d: what is read is not what was written (%v)", asked, err)
		}
	}
}

// TestStoredSessionsAreStillRead reads sessions of format 1 as they were stored before. What they
// say in words of their own is taken over, and what is written then is read back unchanged.
func TestStoredSessionsAreStillRead(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/state-*.json")
	if err != nil || len(files) < 6 {
		t.Fatalf("stored sessions: %v, %v", files, err)
	}
	for _, file := range files {
		s, err := Read(mustRead(t, file), 1)
		if err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		again, err := Read([]byte(mustJSON(t, s)), Format)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(s, again); diff != "" {
			t.Errorf("%s is not read back as it was written (-written +read):\n%s", file, diff)
		}
	}
	every := read(t, "every-field")
	if len(every.People) == 0 || len(every.Alert.Reached) == 0 || len(every.Numbers) == 0 {
		t.Errorf("what format 1 knew of people, layers and numbers is lost: %s", mustJSON(t, every))
	}
	if _, err := Read([]byte("{}"), Format+1); err == nil {
		t.Error("a newer format is read")
	}
}
