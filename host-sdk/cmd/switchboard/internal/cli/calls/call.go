package calls

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/cli/command"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/oneline"
	"github.com/livecallrouting/livecall/host-sdk/phone"
)

// shownCall is what the commands print of a call. It is read from the API's answer.
type shownCall struct {
	SID, From, To, State, Ended string
	Team                        string     `json:"team_name"`
	Started                     time.Time  `json:"started_at"`
	Over                        *time.Time `json:"ended_at"`
	Unheard                     int
	Legs                        []struct {
		Role, Name, Phone, State, Reason string
		Over                             *time.Time `json:"ended_at"`
	}
}

// from is who called.
func (c shownCall) from() string {
	if c.From == "" {
		return "withheld"
	}
	return phone.Display(c.From)
}

// became is what became of the call, or its state while it goes on.
func (c shownCall) became() string {
	state := strings.ReplaceAll(cmp.Or(c.Ended, c.State), "_", " ")
	if c.Unheard > 0 {
		state += ", not heard"
	}
	return state
}

// lasted is how long the caller was there; "-": they still are. The call may go on without them.
func (c shownCall) lasted() string {
	over := c.Over
	for _, leg := range c.Legs {
		if leg.Role == integration.RoleCaller && leg.Over != nil {
			over = leg.Over
		}
	}
	if over == nil {
		return "-"
	}
	return oneline.Lasting(over.Sub(c.Started))
}

// CallList is call list.
type CallList struct {
	command.AskFlags
	listFlags
	Ended string `name:"ended" placeholder:"WORD" help:"Only those that ended in this way, such as connected, message_left or hung_up."`
	Live  bool   `name:"live" help:"Only those whose caller is on the line."`
}

// Help is shown by call list --help.
func (CallList) Help() string { return "Lists calls, the newest first. " + command.HowRunning }

// Run prints a line for each call.
func (c CallList) Run(s *command.Surroundings) error {
	more := map[string]string{"ended": c.Ended}
	if c.Live {
		more["live"] = "true"
	}
	var list []shownCall
	printed, err := c.Running(s, http.MethodGet, "/calls"+c.query(more), nil, &list)
	if err != nil || printed {
		return err
	}
	if len(list) == 0 {
		_, err := fmt.Fprintln(s.Stdout, "No call was found.")
		return err
	}
	w := tabwriter.NewWriter(s.Stdout, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(w, "CALL\tFROM\tTEAM\tSTATE\tLASTED\tBEGAN")
	for _, one := range list {
		_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", clean(one.SID), clean(one.from()), clean(one.Team), clean(one.became()), one.lasted(), command.When(one.Started))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	command.More(s, len(list), c.Limit)
	return nil
}

// shownRecord is a call with its parts.
type shownRecord struct {
	shownCall
	Alert struct{ ID string }
	Story []struct {
		Time    time.Time
		Actor   string `json:"actor_name"`
		Message string
	}
	Recordings []shownRecording
	Notes      []shownNote
}

// shownRecording is a recording of a call.
type shownRecording struct {
	Ref, Label string
	Duration   float64 // seconds; 0: not known
	Heard      []struct {
		Name string `json:"user_name"`
	}
	Deleted *time.Time `json:"deleted_at"`
}

// words are what the line of a recording says. The ref is what recording delete takes.
func (r shownRecording) words() string {
	text := r.Label
	if r.Duration > 0 {
		text += " of " + oneline.Lasting(time.Duration(r.Duration*float64(time.Second)))
	}
	if r.Deleted != nil {
		return text + ", deleted"
	}
	var names []string
	for _, h := range r.Heard {
		names = append(names, h.Name)
	}
	if len(names) == 0 {
		return text + ", not heard: " + r.Ref
	}
	return text + ", heard by " + strings.Join(names, ", ") + ": " + r.Ref
}

// CallShow is call show.
type CallShow struct {
	command.AskFlags
	ID string `arg:"" help:"The call, as call list shows it."`
}

// Help is shown by call show --help.
func (CallShow) Help() string {
	return "Shows one call: the phones, the recordings with who has heard them, the story and the notes. " + command.HowRunning
}

// Run prints the call. What nothing is known of is left out.
func (c CallShow) Run(s *command.Surroundings) error {
	var one shownRecord
	printed, err := c.Running(s, http.MethodGet, "/calls/"+url.PathEscape(c.ID), nil, &one)
	if err != nil || printed {
		return ofCalls(err)
	}
	_, _ = fmt.Fprintf(s.Stdout, "%s: %s\n", clean(one.SID), clean(one.became()))
	w := tabwriter.NewWriter(s.Stdout, 0, 0, 2, ' ', 0)
	line := func(name, value string) {
		if value != "" && value != "-" {
			_, _ = fmt.Fprintf(w, "  %s\t%s\n", name, forPeople(value))
		}
	}
	line("from", one.from())
	line("to", phone.Display(one.To))
	line("team", one.Team)
	line("began", command.When(one.Started))
	line("lasted", one.lasted())
	line("alert", one.Alert.ID)
	for _, leg := range one.Legs {
		if leg.Role != integration.RoleCaller {
			line("phone", strings.Join([]string{leg.Name, phone.Display(leg.Phone), strings.ReplaceAll(cmp.Or(leg.Reason, leg.State), "_", " ")}, ", "))
		}
	}
	for _, r := range one.Recordings {
		line("recording", r.words())
	}
	for _, l := range one.Story {
		line(command.Exactly(l.Time), acted(l.Message, l.Actor))
	}
	for _, n := range one.Notes {
		line(command.Exactly(n.Time), n.Name+" noted: "+n.Text)
	}
	return w.Flush()
}

// ofCalls is ListedBy for what asks for a call.
func ofCalls(err error) error {
	return command.ListedBy("switchboard call list", "or its record has been deleted", err)
}
