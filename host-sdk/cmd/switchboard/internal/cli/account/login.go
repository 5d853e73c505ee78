package account

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"text/tabwriter"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/cli/command"
	"github.com/livecallrouting/livecall/host-sdk/oneline"
)

// clean is a text from outside for a terminal, in one line: browsers send what they like.
func clean(text string) string { return oneline.Clean(text, 300) }

// shownLogin is what the command prints of a login. It is read from the API's answer.
type shownLogin struct {
	ID, Account, User, Alert, How, Remote, Agent string
	Since                                        time.Time
	LastUsed                                     time.Time `json:"last_used"`
}

// who is whose it is; the API token is nobody's.
func (l shownLogin) who() string {
	who := cmp.Or(l.Account, l.User, "-")
	if l.Alert != "" {
		who += " (alert " + l.Alert + " alone)"
	}
	return who
}

// LoginList is login list.
type LoginList struct {
	command.AskFlags
	Account string `name:"account" placeholder:"EMAIL" help:"Only those of this account."`
}

// Help is shown by login list --help.
func (LoginList) Help() string {
	return "Lists where people are logged in, the newest first. " + command.HowManaged
}

// Run prints a line for each login.
func (c LoginList) Run(s *command.Surroundings) error {
	path := "/logins"
	if c.Account != "" {
		path += "?account=" + url.QueryEscape(c.Account)
	}
	var list []shownLogin
	printed, err := c.Running(s, http.MethodGet, path, nil, &list)
	if err != nil || printed {
		return err
	}
	if len(list) == 0 {
		_, err := fmt.Fprintln(s.Stdout, "Nobody is logged in.")
		return err
	}
	w := tabwriter.NewWriter(s.Stdout, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(w, "ID\tWHO\tBY\tSINCE\tLAST USED\tFROM\tBROWSER")
	for _, l := range list {
		_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", l.ID, clean(l.who()), l.How, command.When(l.Since), command.When(l.LastUsed), clean(l.Remote), clean(l.Agent))
	}
	return w.Flush()
}

// LoginEnd is login end.
type LoginEnd struct {
	command.AskFlags
	ID string `arg:"" help:"Id of the login, as login list shows it."`
}

// Help is shown by login end --help.
func (LoginEnd) Help() string {
	return "Logs a browser out, which may log in again as long as its account is let in. " + command.HowManaged
}

// Run says what has ended.
func (c LoginEnd) Run(s *command.Surroundings) error {
	const list = "switchboard login list"
	id, err := command.Named("id", c.ID, list)
	if err == nil {
		err = c.Do(s, http.MethodDelete, "/logins/"+id, map[string]string{"id": c.ID}, clean(c.ID)+" has ended")
	}
	return command.ListedBy(list, "there is no such login", err)
}
