package cli

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/admin"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/pages/layout"
	"github.com/livecallrouting/livecall/host-sdk/oneline"
	"github.com/livecallrouting/livecall/host-sdk/phone"
)

// howRunning says in helps whom a command asks.
const howRunning = "Asks the running host: the one on the same data directory, or with PostgreSQL whichever answers at the public address. Where the API token is switched off, set SWITCHBOARD_API_TOKEN to a token of a responder or an admin."

// listFlags narrow a list of alerts or calls.
type listFlags struct {
	Team        string `name:"team" placeholder:"ID" help:"Only those of this team."`
	From        string `name:"from" placeholder:"NUMBER" help:"Only those from this number."`
	Integration string `name:"integration" placeholder:"ID" help:"Only those of this integration."`
	Since       string `name:"since" placeholder:"TIME" help:"Only those that began at or after this time, such as 2026-12-24T18:00:00Z, or date (UTC)."`
	Until       string `name:"until" placeholder:"TIME" help:"Only those that began before this time, or until the end of this date."`
	Unheard     bool   `name:"unheard" help:"Only those with a recording that nobody has heard."`
	Text        string `name:"search" placeholder:"TEXT" help:"Only those in which each of these words occurs."`
	Limit       int    `name:"limit" default:"50" placeholder:"N" help:"So many at most, the newest first; up to 1000."`
}

// query is the query of the API.
func (f listFlags) query(more map[string]string) string {
	q := url.Values{"limit": {strconv.Itoa(f.Limit)}}
	for name, value := range map[string]string{"team": f.Team, "from": f.From, "integration": f.Integration, "since": f.Since, "until": f.Until, "q": f.Text} {
		if value != "" {
			q.Set(name, value)
		}
	}
	for name, value := range more {
		if value != "" {
			q.Set(name, value)
		}
	}
	if f.Unheard {
		q.Set("unheard", "true")
	}
	return "?" + q.Encode()
}

// running asks the running host and decodes its answer into v, or prints it where JSON is wanted;
// then printed is true.
func (f askFlags) running(s *surroundings, method, path string, body, v any) (printed bool, err error) {
	resolved, err := f.settings(s)
	if err != nil {
		return false, err
	}
	answer, err := admin.AskRunning(s.ctx, resolved, method, path, body)
	if err != nil {
		return false, err
	}
	if f.JSON {
		return true, printJSON(s.stdout, answer)
	}
	return false, json.Unmarshal(answer, v)
}

// more says on the standard error that a list may have been cut off.
func (f listFlags) more(s *surroundings, shown int) {
	if shown == f.Limit {
		_, _ = fmt.Fprintf(s.stderr, "These are the newest %d: there may be older ones. Raise --limit, or narrow the list.\n", shown)
	}
}

// shownAlert is what the commands print of an alert.
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

// caller is who called, as far as it is known.
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

// waited is how long the caller waited.
func (a shownAlert) waited() string {
	if a.Call == nil || a.Call.Waited == nil {
		return "-"
	}
	return layout.Length(time.Duration(*a.Call.Waited * float64(time.Second)))
}

// became is what became of the call.
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

// when is a time as commands print it.
func when(t time.Time) string { return t.Local().Format("2006-01-02 15:04 MST") }

// alertListCommand is alert list.
type alertListCommand struct {
	askFlags
	listFlags
	Status string `name:"status" enum:",open,dropped,queued,acknowledged,resolved" default:"" placeholder:"STATUS" help:"Only those of this status: open, dropped, queued, acknowledged or resolved."`
}

// Help is shown by alert list --help.
func (alertListCommand) Help() string { return "Lists alerts, the newest first. " + howRunning }

// Run prints a line for each alert.
func (c alertListCommand) Run(s *surroundings) error {
	var list []shownAlert
	printed, err := c.running(s, http.MethodGet, "/alerts"+c.query(map[string]string{"status": c.Status}), nil, &list)
	if err != nil || printed {
		return err
	}
	if len(list) == 0 {
		_, err := fmt.Fprintln(s.stdout, "No alert was found.")
		return err
	}
	w := tabwriter.NewWriter(s.stdout, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(w, "ID\tSTATUS\tCALLER\tTEAM\tWAITED\tCALL\tTAKEN BY\tOPENED")
	for _, a := range list {
		var teams []string
		for _, t := range a.Teams {
			teams = append(teams, t.Name)
		}
		_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", a.ID, a.Status, clean(a.caller()), clean(strings.Join(teams, ", ")), a.waited(), a.became(), clean(a.whoTook()), when(a.Created))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	c.more(s, len(list))
	return nil
}

// alertShowCommand is alert show.
type alertShowCommand struct {
	askFlags
	ID string `arg:"" help:"Id of the alert, as alert list shows it."`
}

// Help is shown by alert show --help.
func (alertShowCommand) Help() string { return "Shows one alert with its history. " + howRunning }

// Run prints the alert.
func (c alertShowCommand) Run(s *surroundings) error {
	return showAlert(c.askFlags, s, http.MethodGet, "/alerts/"+url.PathEscape(c.ID), nil)
}

// showAlert sends a request whose answer is an alert, and prints it.
func showAlert(f askFlags, s *surroundings, method, path string, body any) error {
	var a shownAlert
	printed, err := f.running(s, method, path, body, &a)
	if err != nil || printed {
		return ofAlerts(err)
	}
	_, _ = fmt.Fprintf(s.stdout, "%s: %s, %s\n", a.ID, a.Status, forPeople(a.Title))
	w := tabwriter.NewWriter(s.stdout, 0, 0, 2, ' ', 0)
	for _, line := range [][2]string{{"caller", a.caller()}, {"waited", a.waited()}, {"call", a.became()}, {"taken by", a.whoTook()}} {
		if line[1] != "-" {
			_, _ = fmt.Fprintf(w, "  %s\t%s\n", line[0], clean(line[1]))
		}
	}
	for _, l := range a.Log {
		text := l.Message
		if l.Actor != "" && !strings.Contains(text, l.Actor) {
			text += " (" + l.Actor + ")"
		}
		_, _ = fmt.Fprintf(w, "  %s\t%s\n", l.Time.Local().Format("2006-01-02 15:04:05 MST"), forPeople(text))
	}
	return w.Flush()
}

// listedBy adds to an error that ends with some words which command lists what there is.
func listedBy(command, words string, err error) error {
	if err != nil && strings.HasSuffix(err.Error(), words) {
		return fmt.Errorf("%w: %s shows all", err, command)
	}
	return err
}

// ofAlerts is listedBy for what asks for an alert.
func ofAlerts(err error) error {
	return listedBy("switchboard alert list", "there is no such alert", err)
}

// alertActFlags are those of the commands that act on an alert.
type alertActFlags struct {
	askFlags
	ID   string `arg:"" help:"Id of the alert, as alert list shows it."`
	User string `name:"user" required:"" placeholder:"ID" help:"In whose name: the id of a user. The alert's history names this person."`
}

// do acts and prints the alert as it is then.
func (c alertActFlags) do(s *surroundings, action string) error {
	return showAlert(c.askFlags, s, http.MethodPost, "/alerts/"+url.PathEscape(c.ID)+"/"+action, map[string]string{"user": c.User})
}

// alertAckCommand is alert ack.
type alertAckCommand struct{ alertActFlags }

// Help is shown by alert ack --help.
func (alertAckCommand) Help() string {
	return "Acknowledges an alert: nobody else is paged for it. Prints the alert as it is then. " + howRunning
}

// Run acknowledges the alert.
func (c alertAckCommand) Run(s *surroundings) error { return c.do(s, "acknowledge") }

// alertResolveCommand is alert resolve.
type alertResolveCommand struct{ alertActFlags }

// Help is shown by alert resolve --help.
func (alertResolveCommand) Help() string {
	return "Resolves an alert. Prints the alert as it is then. " + howRunning
}

// Run resolves the alert.
func (c alertResolveCommand) Run(s *surroundings) error { return c.do(s, "resolve") }

// forPeople is clean with the telephone numbers as on all pages.
func forPeople(text string) string { return layout.Numbers(clean(text)) }

// clean is a text from outside for a terminal, in one line.
func clean(text string) string { return oneline.Clean(text, 300) }
