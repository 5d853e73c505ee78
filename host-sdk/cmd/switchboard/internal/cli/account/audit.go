package account

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/cli/command"
)

// AuditList is audit list.
type AuditList struct {
	command.AskFlags
	Who    string `name:"who" placeholder:"WHO" help:"Only what this account, user or token did: an e-mail address, a user's id, \"the API token\", or \"token\" with its name."`
	Action string `name:"action" placeholder:"ACTION" help:"Only this action, such as login, recording.hear or integration.change."`
	About  string `name:"about" placeholder:"ID" help:"Only what was done to this: the id of an integration, a call or an alert, or the ref of a recording."`
	Limit  int    `name:"limit" default:"50" placeholder:"N" help:"So many at most, the newest first; up to 1000."`
}

// Help is shown by audit list --help.
func (AuditList) Help() string {
	return "Lists who did what, the newest first. " + command.HowManaged
}

// Run prints a line for each line of the audit.
func (c AuditList) Run(s *command.Surroundings) error {
	q := url.Values{"limit": {strconv.Itoa(c.Limit)}}
	for name, value := range map[string]string{"who": c.Who, "action": c.Action, "about": c.About} {
		if value != "" {
			q.Set(name, value)
		}
	}
	var list []struct {
		Time                               time.Time
		Who, Action, About, Detail, Remote string
	}
	printed, err := c.Running(s, http.MethodGet, "/audit?"+q.Encode(), nil, &list)
	if err != nil || printed {
		return err
	}
	if len(list) == 0 {
		_, err := fmt.Fprintln(s.Stdout, "The audit has no such line.")
		return err
	}
	w := tabwriter.NewWriter(s.Stdout, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(w, "TIME\tWHO\tACTION\tABOUT\tDETAIL\tFROM")
	for _, l := range list {
		_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", command.Exactly(l.Time), clean(l.Who), l.Action,
			clean(cmp.Or(l.About, "-")), clean(cmp.Or(l.Detail, "-")), clean(cmp.Or(l.Remote, "-")))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	command.More(s, len(list), c.Limit)
	return nil
}
