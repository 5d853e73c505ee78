package demo

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
)

// PrintStory prints the addresses and what to try. The binary is how twiliosim is called here.
func (s *Stack) PrintStory(w io.Writer, twiliosimBinary string) {
	name, number := s.onCall()
	at := ""
	if s.SimURL != defaultSim {
		at = " --sim " + s.SimURL
	}
	_, _ = fmt.Fprintf(w, `
The hotline is up. Nothing leaves this machine: Twilio is simulated.

  telephones    %s          call, answer and listen here
  switchboard   %s          log in with the token %s
  alerts        %s/alerts   what became of each call

Try it in a browser:

  1. Open the telephones and press Call. Hear the menu, and press 2 for DevOps.
  2. The phone of %s rings: press Answer, then 1 to take the call. Talk by typing, or by microphone.
  3. Open the alerts: who was rung, who took the call, how long it lasted.
  4. Call again and press * while you wait: leave a message, and hear it in its alert.

Or in two more terminals:

  %s answer %s%s --script "hear 'press 1'; press 1; connected; say 'How can I help?'; ended"
  %s call%s --say-script "hear 'Press 1'; press 2; connected; say 'The shop is down.'; wait 5s; hangup"

Ctrl-C stops everything.
`, s.SimURL, s.URL, s.Token, s.URL, name, twiliosimBinary, number, at, twiliosimBinary, at)
}

// defaultSim is where the commands of twiliosim look for a simulator unless a flag names another.
const defaultSim = "http://127.0.0.1:8090"

// onCall is whose telephone rings first for DevOps, as a name and a number. Where the file has no
// such team: the first in it.
func (s *Stack) onCall() (name, number string) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	var now []struct {
		Layer int `json:"layer"`
		User  struct {
			Name   string   `json:"name"`
			Phones []string `json:"phones"`
		} `json:"user"`
	}
	if err := s.API(ctx, "GET", "/api/v1/teams/devops/oncall", nil, &now); err == nil {
		for _, e := range now {
			if len(e.User.Phones) > 0 {
				return e.User.Name, e.User.Phones[0]
			}
		}
	}
	if len(s.people) > 0 {
		return s.people[0].Name, s.people[0].Number
	}
	return "whoever is on call", "NUMBER"
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
