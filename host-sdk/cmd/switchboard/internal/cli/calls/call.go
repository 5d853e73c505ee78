package calls

import (
	"fmt"
	"net/http"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/cli/command"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/oneline"
	"github.com/livecallrouting/livecall/host-sdk/phone"
)

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
	var list []struct {
		SID, From, To, State, Ended string
		Team                        string     `json:"team_name"`
		Started                     time.Time  `json:"started_at"`
		Over                        *time.Time `json:"ended_at"`
		Unheard                     int
		Legs                        []struct {
			Role string
			Over *time.Time `json:"ended_at"`
		}
	}
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
		from, state, lasted := phone.Display(one.From), strings.ReplaceAll(one.State, "_", " "), "-"
		if one.From == "" {
			from = "withheld"
		}
		if one.Ended != "" {
			state = strings.ReplaceAll(one.Ended, "_", " ")
		}
		if one.Unheard > 0 {
			state += ", not heard"
		}
		// A caller's own time is what the list shows.
		for _, leg := range one.Legs {
			if leg.Role == integration.RoleCaller && leg.Over != nil {
				one.Over = leg.Over // the call may go on without the caller
			}
		}
		if one.Over != nil {
			lasted = oneline.Lasting(one.Over.Sub(one.Started))
		}
		_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", clean(one.SID), clean(from), clean(one.Team), clean(state), lasted, command.When(one.Started))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	c.more(s, len(list))
	return nil
}
