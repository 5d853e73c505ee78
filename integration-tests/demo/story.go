package demo

import (
	"fmt"
	"io"
	"strings"
	"sync"
)

// Tell prints the addresses and what to try.
func (s *Stack) Tell(w io.Writer, twiliosimBinary string) {
	_, _ = fmt.Fprintf(w, `
The hotline is up. Nothing leaves this machine: Twilio is simulated.

  switchboard   %s   (API token: %s)
  telephones    %s
  the number    %s

Try this, in another terminal:

  1. Call, choose DevOps (2), hear the music:      %s call --to %s --script "hear 'Press 1'; press 2; wait 5m"
  2. Somebody on call is rung; pick up, press 1:   %s answer --press 1
  3. See the alert and its story:                  curl -s -H "Authorization: Bearer %s" %s/api/v1/alerts
  4. Voicemail and all else is an option:          curl -s -H "Authorization: Bearer %s" %s/api/v1/integrations

Ctrl-C stops everything.
`, s.URL, s.Token, s.SimURL, Number, twiliosimBinary, Number, twiliosimBinary, s.Token, s.URL, s.Token, s.URL)
}

// tail keeps the last lines of a log, for errors.
type tail struct {
	mu    sync.Mutex
	lines []string
}

// Write implements io.Writer.
func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.lines = append(t.lines, strings.Split(strings.TrimRight(string(p), "\n"), "\n")...)
	if over := len(t.lines) - 20; over > 0 {
		t.lines = t.lines[over:]
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.Join(t.lines, "\n")
}
