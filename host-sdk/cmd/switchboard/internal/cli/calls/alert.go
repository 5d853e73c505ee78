package calls

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/cli/command"
	"github.com/livecallrouting/livecall/host-sdk/oneline"
	"github.com/livecallrouting/livecall/host-sdk/phone"
)

// shownAlert is what the commands print of an alert. It is read from the API's answer; members that
// are not shown are left out.
type shownAlert struct {
	ID, Status, Title string
	Teams             []struct{ Name string }
	Acknowledgements  []struct {
		Name string `json:"user_name"`
	}
	Created time.Time `json:"created_at"`
	Call    *struct {
		SID, From, Name, City, Ended string
		Waited                       *float64
		Unheard                      int
	}
	Log []struct {
		Time    time.Time
		Actor   string `json:"actor_name"`
		Message string
	}
}

// caller is who called, as far as it is known. "-": no call made this alert.
func (a shownAlert) caller() string {
	if a.Call == nil {
		return "-"
	}
	parts := []string{phone.Display(a.Call.From)}
	if a.Call.From == "" {
		parts[0] = "withheld"
	}
	for _, part := range []string{a.Call.Name, a.Call.City} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, ", ")
}

// waited is how long the caller waited. The API has it in seconds; "-": it is not known, or the
// caller still waits.
func (a shownAlert) waited() string {
	if a.Call == nil || a.Call.Waited == nil {
		return "-"
	}
	return oneline.Lasting(time.Duration(*a.Call.Waited * float64(time.Second)))
}

// callID is the id of its call; "-": no call made it.
func (a shownAlert) callID() string {
	if a.Call == nil || a.Call.SID == "" {
		return "-"
	}
	return a.Call.SID
}

// became is what became of the call. "-": it goes on, or there was none.
func (a shownAlert) became() string {
	if a.Call == nil || a.Call.Ended == "" {
		return "-"
	}
	text := strings.ReplaceAll(a.Call.Ended, "_", " ")
	if a.Call.Unheard > 0 {
		text += ", not heard"
	}
	return text
}

// whoTook names who acknowledged it.
func (a shownAlert) whoTook() string {
	var names []string
	for _, k := range a.Acknowledgements {
		names = append(names, k.Name)
	}
	if len(names) == 0 {
		return "-"
	}
	return strings.Join(names, ", ")
}

// AlertList is alert list.
type AlertList struct {
	command.AskFlags
	listFlags
	Status string `name:"status" placeholder:"STATUS" help:"Only those of this status: open, dropped, queued, acknowledged or resolved."`
}

// Help is shown by alert list --help.
func (AlertList) Help() string { return "Lists alerts, the newest first. " + command.HowRunning }

// Run prints a line for each alert.
func (c AlertList) Run(s *command.Surroundings) error {
	var list []shownAlert
	printed, err := c.Running(s, http.MethodGet, "/alerts"+c.query(map[string]string{"status": c.Status}), nil, &list)
	if err != nil || printed {
		return err
	}
	if len(list) == 0 {
		_, err := fmt.Fprintln(s.Stdout, "No alert was found.")
		return err
	}
	w := tabwriter.NewWriter(s.Stdout, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(w, "ID\tSTATUS\tCALLER\tTEAM\tWAITED\tCALL\tTAKEN BY\tOPENED")
	for _, a := range list {
		var teams []string
		for _, t := range a.Teams {
			teams = append(teams, t.Name)
		}
		_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", a.ID, a.Status, clean(a.caller()), clean(strings.Join(teams, ", ")), a.waited(), a.became(), clean(a.whoTook()), command.When(a.Created))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	command.More(s, len(list), c.Limit)
	return nil
}

// AlertShow is alert show.
type AlertShow struct {
	command.AskFlags
	ID string `arg:"" help:"Id of the alert, as alert list shows it."`
}

// Help is shown by alert show --help.
func (AlertShow) Help() string { return "Shows one alert with its history. " + command.HowRunning }

// Run prints the alert.
func (c AlertShow) Run(s *command.Surroundings) error {
	return showAlert(c.AskFlags, s, http.MethodGet, "/alerts/"+url.PathEscape(c.ID), nil)
}

// showAlert sends a request whose answer is an alert, and prints it. Rows of which nothing is known
// are left out.
func showAlert(f command.AskFlags, s *command.Surroundings, method, path string, body any) error {
	var a shownAlert
	printed, err := f.Running(s, method, path, body, &a)
	if err != nil || printed {
		return ofAlerts(err)
	}
	_, _ = fmt.Fprintf(s.Stdout, "%s: %s, %s\n", a.ID, a.Status, forPeople(a.Title))
	w := tabwriter.NewWriter(s.Stdout, 0, 0, 2, ' ', 0)
	for _, line := range [][2]string{{"caller", a.caller()}, {"waited", a.waited()}, {"call", a.became()}, {"call id", a.callID()}, {"taken by", a.whoTook()}} {
		if line[1] != "-" {
			_, _ = fmt.Fprintf(w, "  %s\t%s\n", line[0], clean(line[1]))
		}
	}
	for _, l := range a.Log {
		_, _ = fmt.Fprintf(w, "  %s\t%s\n", command.Exactly(l.Time), forPeople(acted(l.Message, l.Actor)))
	}
	return w.Flush()
}

// acted is a line of a history. Most name who acted; the rest has the name behind it.
func acted(text, actor string) string {
	if actor == "" || strings.Contains(text, actor) {
		return text
	}
	return text + " (" + actor + ")"
}

// ofAlerts is ListedBy for what asks for an alert.
func ofAlerts(err error) error {
	return command.ListedBy("switchboard alert list", "there is no such alert", err)
}

// alertActFlags are those of the commands that act on an alert.
type alertActFlags struct {
	command.AskFlags
	ID   string `arg:"" help:"Id of the alert, as alert list shows it."`
	User string `name:"user" required:"" placeholder:"ID" help:"In whose name: the id of a user. The alert's history names this person."`
}

// do acts and prints the alert as it is then. The API refuses a user whom the platform does not
// know.
func (c alertActFlags) do(s *command.Surroundings, action string) error {
	return showAlert(c.AskFlags, s, http.MethodPost, "/alerts/"+url.PathEscape(c.ID)+"/"+action, map[string]string{"user": c.User})
}

// AlertAck is alert ack.
type AlertAck struct{ alertActFlags }

// Help is shown by alert ack --help.
func (AlertAck) Help() string {
	return "Acknowledges an alert: nobody else is paged for it. Prints the alert as it is then. " + command.HowRunning
}

// Run acknowledges the alert.
func (c AlertAck) Run(s *command.Surroundings) error { return c.do(s, "acknowledge") }

// AlertDecline is alert decline.
type AlertDecline struct{ alertActFlags }

// Help is shown by alert decline --help.
func (AlertDecline) Help() string {
	return "Declines an alert for somebody who was paged: the next layer is paged once all have. Prints the alert as it is then. " + command.HowRunning
}

// Run declines the alert.
func (c AlertDecline) Run(s *command.Surroundings) error { return c.do(s, "reject") }

// AlertEscalate is alert escalate.
type AlertEscalate struct{ alertActFlags }

// Help is shown by alert escalate --help.
func (AlertEscalate) Help() string {
	return "Pages the next layer at once. Prints the alert as it is then. " + command.HowRunning
}

// Run escalates the alert.
func (c AlertEscalate) Run(s *command.Surroundings) error { return c.do(s, "escalate") }

// AlertResolve is alert resolve.
type AlertResolve struct{ alertActFlags }

// Help is shown by alert resolve --help.
func (AlertResolve) Help() string {
	return "Resolves an alert. Prints the alert as it is then. " + command.HowRunning
}

// Run resolves the alert.
func (c AlertResolve) Run(s *command.Surroundings) error { return c.do(s, "resolve") }

// forPeople is clean with the telephone numbers as on all pages.
func forPeople(text string) string { return phone.DisplayIn(clean(text)) }

// clean is a text from outside for a terminal, in one line. It removes control characters, by which
// a caller's name could rewrite the terminal.
func clean(text string) string { return oneline.Clean(text, 300) }
