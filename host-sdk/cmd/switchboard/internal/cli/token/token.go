package token

import (
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/admin"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/cli/command"
)

// Create is token create.
type Create struct {
	command.AskFlags
	Name string `arg:"" help:"Name, such as the program that uses it."`
	Role string `name:"role" required:"" enum:"viewer,responder,product,admin" help:"viewer looks, responder acts on alerts and calls, product also has people's phones rung for a test, admin may do everything."`
}

// Help is shown by token create --help.
func (Create) Help() string {
	return "Prints the token, which is not shown again: only a hash of it is stored. " + command.HowAsked
}

// Run prints the token alone on the standard output, so that a script can keep it. The rest goes to
// the standard error.
func (c Create) Run(s *command.Surroundings) error {
	resolved, err := c.Settings(s)
	if err != nil {
		return err
	}
	made, err := admin.CreateToken(s.Ctx, resolved, c.Name, c.Role)
	if err != nil {
		return err
	}
	if c.JSON {
		return command.PrintJSON(s.Stdout, made)
	}
	_, _ = fmt.Fprintf(s.Stderr, "%s: the token %q with the role %s. It is not shown again.\n", made.ID, made.Name, made.Role)
	_, err = fmt.Fprintln(s.Stdout, made.Secret)
	return err
}

// List is token list.
type List struct {
	command.AskFlags
}

// Help is shown by token list --help.
func (List) Help() string {
	return "Lists the tokens of programs, revoked ones too. " + command.HowAsked
}

// Run prints a line for each token. A token itself is never among it.
func (c List) Run(s *command.Surroundings) error {
	resolved, err := c.Settings(s)
	if err != nil {
		return err
	}
	list, err := admin.ListTokens(s.Ctx, resolved)
	if err != nil {
		return err
	}
	if c.JSON {
		return command.PrintJSON(s.Stdout, list)
	}
	if len(list) == 0 {
		_, err := fmt.Fprintln(s.Stdout, "No program has a token: switchboard token create makes one.")
		return err
	}
	// none stands for a time that is not set.
	day := func(t *time.Time, none string) string {
		if t == nil {
			return none
		}
		return t.Format("2006-01-02 15:04")
	}
	w := tabwriter.NewWriter(s.Stdout, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(w, "ID\tNAME\tROLE\tMADE BY\tMADE AT (UTC)\tLAST USED\tREVOKED")
	for _, t := range list {
		_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", t.ID, t.Name, t.Role, t.MadeBy, day(t.MadeAt, ""), day(t.LastUsed, "never"), day(t.Revoked, "-"))
	}
	return w.Flush()
}

// Revoke is token revoke.
type Revoke struct {
	command.AskFlags
	Token string `arg:"" help:"Id or name of the token, as token list shows them."`
}

// Help is shown by token revoke --help.
func (Revoke) Help() string {
	return "Programs that send the token are refused from then on. " + command.HowAsked
}

// Run says what was revoked.
func (c Revoke) Run(s *command.Surroundings) error {
	resolved, err := c.Settings(s)
	if err != nil {
		return err
	}
	t, err := admin.RevokeToken(s.Ctx, resolved, c.Token)
	if err != nil {
		return err
	}
	if c.JSON {
		return command.PrintJSON(s.Stdout, t)
	}
	_, err = fmt.Fprintf(s.Stdout, "%s: the token %q was revoked\n", t.ID, t.Name)
	return err
}
