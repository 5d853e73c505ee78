//go:build unix

package embedded_test

import (
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestAPipeInPlaceOfTheFileDoesNotKeepLaterOnesFromBeingRead: whoever opens a pipe waits until
// somebody writes to it.
func TestAPipeInPlaceOfTheFileDoesNotKeepLaterOnesFromBeingRead(t *testing.T) {
	t.Parallel()
	w := newWorld(t, noon, storyFile)
	tick := func(what string, ok func() bool) {
		t.Helper()
		for deadline := time.Now().Add(time.Minute); !ok(); time.Sleep(2 * time.Millisecond) {
			w.clock.Advance(100 * time.Millisecond)
			if time.Now().After(deadline) {
				t.Fatalf("not so within a minute: %s", what)
			}
		}
	}
	if err := os.Remove(w.path()); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(w.path(), 0o600); err != nil {
		t.Fatal(err)
	}
	tick("the pipe is refused", func() bool {
		refused := w.source.Status().Refused
		return len(refused) > 0 && strings.Contains(refused[0].Message, "is a pipe or a device")
	})
	if err := os.Remove(w.path()); err != nil {
		t.Fatal(err)
	}
	write(t, w.path(), strings.Replace(storyFile, "name: DevOps", "name: Developers", 1))
	tick("the file is in force", func() bool { return w.File().Team("devops").Name == "Developers" })
}
