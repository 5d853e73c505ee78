package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// PrintStory prints the addresses and what to try. The binary is how twiliosim is called here.
func (s *Stack) PrintStory(w io.Writer, twiliosimBinary string) {
	digit, chosen := s.choice()
	name, number := s.onCall(chosen.ID)
	menu, script := fmt.Sprintf("Hear the menu, and press %d for %s.", digit, chosen.Name), fmt.Sprintf("hear 'Press 1'; press %d; ", digit)
	if digit == 0 {
		menu, script = "You wait for "+chosen.Name+".", ""
	}
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

  1. Open the telephones and press Call. %s
  2. The phone of %s rings: press Answer, then 1 to take the call. Talk by typing, or by microphone.
  3. Open the alerts: who was rung, who took the call, how long it lasted.
  4. Call again and press * while you wait: leave a message, and hear it in its alert.

Or in two more terminals:

  %s answer %s%s --script "hear 'press 1'; press 1; connected; say 'How can I help?'; ended"
  %s call%s --say-script "%sconnected; say 'The shop is down.'; wait 5s; hangup"

Ctrl-C stops everything.
`, s.SimURL, s.URL, s.Token, s.URL, menu, name, twiliosimBinary, number, at, twiliosimBinary, at, script)
}

// team is a team of the platform.
type team struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// sampleTeams are those of the sample, in the order of the menu; DevOps has most layers.
var sampleTeams = []team{{"support", "Customer Support"}, {preferred, "DevOps"}}

// preferred is the team that the story calls, where there is one of this id.
const preferred = "devops"

// maxTeams is how many teams of another file the hotline has: one digit chooses each.
const maxTeams = 9

// chooseTeams are the teams of the hotline, in the order of its menu: those of the sample where the
// platform has both, or else its first ones.
func (s *Stack) chooseTeams(ctx context.Context) ([]team, error) {
	var all []team
	if err := s.API(ctx, "GET", "/api/v1/teams", nil, &all); err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return nil, errors.New("the switchboard file has no team that a caller could choose")
	}
	slices.SortStableFunc(all, func(a, b team) int { return strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)) })
	known := func(sample team) bool {
		return slices.ContainsFunc(all, func(t team) bool { return t.ID == sample.ID })
	}
	if known(sampleTeams[0]) && known(sampleTeams[1]) {
		all = slices.DeleteFunc(all, func(t team) bool { return t.ID != sampleTeams[0].ID && t.ID != sampleTeams[1].ID })
	}
	return all[:min(len(all), maxTeams)], nil
}

// choice is the team that the story calls, and the digit that chooses it; 0: there is no menu.
func (s *Stack) choice() (digit int, chosen team) {
	teams := s.teams
	if len(teams) == 0 {
		teams = sampleTeams
	}
	i := max(0, slices.IndexFunc(teams, func(t team) bool { return t.ID == preferred }))
	if len(teams) == 1 {
		return 0, teams[0]
	}
	return i + 1, teams[i]
}

// defaultSim is where the commands of twiliosim look for a simulator unless a flag names another.
const defaultSim = "http://127.0.0.1:8090"

// onCall is whose telephone rings first for a team, as a name and a number. Where nobody is on
// call: the first of the file.
func (s *Stack) onCall(team string) (name, number string) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	var now []struct {
		Layer int `json:"layer"`
		User  struct {
			Name   string   `json:"name"`
			Phones []string `json:"phones"`
		} `json:"user"`
	}
	if err := s.API(ctx, "GET", "/api/v1/teams/"+url.PathEscape(team)+"/oncall", nil, &now); err == nil {
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
