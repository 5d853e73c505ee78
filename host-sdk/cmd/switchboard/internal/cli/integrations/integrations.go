package integrations

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"text/tabwriter"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/cli/command"
	"github.com/livecallrouting/livecall/host-sdk/oneline"
	"github.com/livecallrouting/livecall/host-sdk/phone"
)

// shown is what the commands print of an integration. It is read from the API's answer.
type shown struct {
	ID, Plugin, Name     string
	Enabled, Maintenance bool
	Destinations         []struct{ ID string }
	Endpoint             string `json:"endpoint_url"`
	Numbers              []string
	Findings             []struct{ Severity, Message string }
}

// state is whether callers are served.
func (i shown) state() string {
	switch {
	case !i.Enabled:
		return "disabled"
	case i.Maintenance:
		return "maintenance"
	}
	return "enabled"
}

// numbers are those that callers dialed, as people read them.
func (i shown) numbers() string {
	list := make([]string, len(i.Numbers))
	for n, number := range i.Numbers {
		list[n] = phone.Display(number)
	}
	return orDash(list)
}

// teams are the ids of its teams and routers.
func (i shown) teams() string {
	list := make([]string, len(i.Destinations))
	for n, d := range i.Destinations {
		list[n] = clean(d.ID)
	}
	return orDash(list)
}

// orDash is a list for a column of a table. An empty cell would read like a mistake.
func orDash(list []string) string {
	if len(list) == 0 {
		return "-"
	}
	return strings.Join(list, ", ")
}

// List is integration list.
type List struct {
	command.AskFlags
}

// Help is shown by integration list --help.
func (List) Help() string {
	return "Lists the integrations, with the numbers that callers of each have dialed, and how many things are wrong with it. " + command.HowRunning
}

// Run prints a line for each integration.
func (c List) Run(s *command.Surroundings) error {
	var list []shown
	printed, err := c.Running(s, http.MethodGet, "/integrations", nil, &list)
	if err != nil || printed {
		return err
	}
	if len(list) == 0 {
		_, err := fmt.Fprintln(s.Stdout, "There is no integration: create one on the page Integrations.")
		return err
	}
	w := tabwriter.NewWriter(s.Stdout, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(w, "ID\tNAME\tSTATE\tNUMBERS\tTEAMS\tFINDINGS")
	for _, i := range list {
		_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%d\n", clean(i.ID), clean(i.Name), i.state(), clean(i.numbers()), i.teams(), len(i.Findings))
	}
	return w.Flush()
}

// Show is integration show.
type Show struct {
	command.AskFlags
	ID string `arg:"" help:"Id of the integration, as integration list shows it."`
}

// Help is shown by integration show --help.
func (Show) Help() string {
	return "Shows one integration, and what is wrong with it. With --json its options too, without their secrets. " + command.HowRunning
}

// Run prints the integration.
func (c Show) Run(s *command.Surroundings) error {
	var i shown
	printed, err := c.Running(s, http.MethodGet, "/integrations/"+url.PathEscape(c.ID), nil, &i)
	if err != nil || printed {
		return command.ListedBy("switchboard integration list", fmt.Sprintf("there is no integration %q", c.ID), err)
	}
	_, _ = fmt.Fprintf(s.Stdout, "%s: %s, %s\n", clean(i.ID), clean(i.Name), i.state())
	w := tabwriter.NewWriter(s.Stdout, 0, 0, 2, ' ', 0)
	for _, line := range [][2]string{{"plugin", i.Plugin}, {"numbers", i.numbers()}, {"teams", i.teams()}, {"address", i.Endpoint}} {
		_, _ = fmt.Fprintf(w, "  %s\t%s\n", line[0], clean(line[1]))
	}
	for _, f := range i.Findings {
		_, _ = fmt.Fprintf(w, "  %s\t%s\n", clean(f.Severity), phone.DisplayIn(clean(f.Message)))
	}
	return w.Flush()
}

// clean is a text from outside for a terminal, in one line.
func clean(text string) string { return oneline.Clean(text, 1000) }
