package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/admin"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/settings"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded/switchboardfile"
)

// askFlags are the flags of commands that ask the running host, or the database where none runs.
type askFlags struct {
	settings.Flags `group:"The host, its data and its settings, as for switchboard serve:"`
	JSON           bool `name:"json" help:"Print JSON, as the API answers."`
}

// howAsked says in helps where an answer comes from.
const howAsked = "Asks the running host: the one on the same data directory, or with PostgreSQL whichever answers at the public address. If none is running, opens the database briefly. Where the API token is switched off, set SWITCHBOARD_API_TOKEN to a token of an admin."

// settings resolves the flags. A switchboard file that is wrong does not matter: the running host
// goes on with the last good one.
func (f askFlags) settings(s *surroundings) (settings.Settings, error) {
	var given map[string]string
	if file, _ := switchboardfile.Load(f.Path()); file != nil {
		given = file.Settings
	}
	return settings.Resolve(f.Flags, given, s.exeDir)
}

// printJSON prints a value as the API answers it, for people to read too.
func printJSON(w io.Writer, v any) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(v)
}

// tokenCreateCommand is token create.
type tokenCreateCommand struct {
	askFlags
	Name string `arg:"" help:"Name, such as the program that uses it."`
	Role string `name:"role" required:"" enum:"viewer,responder,product,admin" help:"viewer looks, responder acts on alerts and calls, product also has people's phones rung for a test, admin may do everything."`
}

// Help is shown by token create --help.
func (tokenCreateCommand) Help() string {
	return "Prints the token, which is not shown again: only a hash of it is stored. " + howAsked
}

// Run prints the token alone on the standard output, so that a script can keep it.
func (c tokenCreateCommand) Run(s *surroundings) error {
	resolved, err := c.settings(s)
	if err != nil {
		return err
	}
	made, err := admin.CreateToken(s.ctx, resolved, c.Name, c.Role)
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(s.stdout, made)
	}
	_, _ = fmt.Fprintf(s.stderr, "%s: the token %q with the role %s. It is not shown again.\n", made.ID, made.Name, made.Role)
	_, err = fmt.Fprintln(s.stdout, made.Secret)
	return err
}

// tokenListCommand is token list.
type tokenListCommand struct {
	askFlags
}

// Help is shown by token list --help.
func (tokenListCommand) Help() string {
	return "Lists the tokens of programs, revoked ones too. " + howAsked
}

// Run prints a line for each token.
func (c tokenListCommand) Run(s *surroundings) error {
	resolved, err := c.settings(s)
	if err != nil {
		return err
	}
	list, err := admin.ListTokens(s.ctx, resolved)
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(s.stdout, list)
	}
	if len(list) == 0 {
		_, err := fmt.Fprintln(s.stdout, "No program has a token: switchboard token create makes one.")
		return err
	}
	day := func(t *time.Time, none string) string {
		if t == nil {
			return none
		}
		return t.Format("2006-01-02 15:04")
	}
	w := tabwriter.NewWriter(s.stdout, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(w, "ID\tNAME\tROLE\tMADE BY\tMADE AT (UTC)\tLAST USED\tREVOKED")
	for _, t := range list {
		_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", t.ID, t.Name, t.Role, t.MadeBy, day(t.MadeAt, ""), day(t.LastUsed, "never"), day(t.Revoked, "-"))
	}
	return w.Flush()
}

// tokenRevokeCommand is token revoke.
type tokenRevokeCommand struct {
	askFlags
	Token string `arg:"" help:"Id or name of the token, as token list shows them."`
}

// Help is shown by token revoke --help.
func (tokenRevokeCommand) Help() string {
	return "Programs that send the token are refused from then on. " + howAsked
}

// Run says what was revoked.
func (c tokenRevokeCommand) Run(s *surroundings) error {
	resolved, err := c.settings(s)
	if err != nil {
		return err
	}
	t, err := admin.RevokeToken(s.ctx, resolved, c.Token)
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(s.stdout, t)
	}
	_, err = fmt.Fprintf(s.stdout, "%s: the token %q was revoked\n", t.ID, t.Name)
	return err
}
