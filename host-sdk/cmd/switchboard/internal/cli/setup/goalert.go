package setup

import (
	"cmp"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/cli/command"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/settings"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform/goalert"
)

// goalertKeysFile is the default name of the file with the keys, beside the switchboard file.
const goalertKeysFile = "goalert-keys.json"

// GoAlert is platform setup goalert. The password has no flag: other users of the
// machine can read command lines.
type GoAlert struct {
	settings.Config

	URL string `arg:"" optional:"" name:"url" help:"GoAlert's public URL, exactly; else it is in GOALERT_URL, or asked for."`

	User      string   `env:"GOALERT_USER" help:"Name of an administrator of GoAlert; asked for if it is missing."`
	Service   []string `sep:"none" placeholder:"NAME" help:"Name or id of a service that takes calls; may be given several times. It gets an integration key if it has none. Default: those of the earlier set-up, or all that have one of type Generic API."`
	Label     string   `placeholder:"KEY" help:"Key of a label, such as example.com/team: each of its values is a team. Default: that of the earlier set-up, or each service is a team."`
	All       bool     `help:"All services that have an integration key of type Generic API, whatever the earlier set-up had."`
	Expires   string   `placeholder:"YYYY-MM-DD" help:"When the API keys expire (default: in a year)."`
	Keys      string   `placeholder:"FILE" help:"File for the keys (default: goalert-keys.json beside the switchboard file)."`
	Env       string   `placeholder:"NAME" help:"Print the keys as this environment variable, and write no file."`
	DryRun    bool     `name:"dry-run" help:"Look and report; make and write nothing."`
	RevokeOld bool     `name:"revoke-old" help:"Only take away the API keys of earlier set-ups, once switchboard runs with the new ones."`
}

// Help is shown by platform setup goalert --help.
func (GoAlert) Help() string {
	return "Signs in to GoAlert as an administrator, lists the services with what keeps calls from being answered, makes two API keys of the role user that can run this program's operations and nothing else, writes them to a file that only you can read, and prints the section platform of the switchboard file.\n\n" +
		"The password is in GOALERT_PASSWORD, or asked for. Without a terminal, what is asked for is read from the standard input, a line each. It is used once and kept nowhere.\n\n" +
		"Run again, it makes new keys. Those of before go on working until --revoke-old."
}

// Run makes the set-up and prints a report. Keys are written before those of before are taken away,
// and only by a second run, so that a switchboard that still uses them goes on.
func (c GoAlert) Run(s *command.Surroundings) error {
	now := time.Now()
	req, err := c.request(s, now)
	if err != nil {
		return err
	}
	path := cmp.Or(c.Keys, filepath.Join(filepath.Dir(c.Path()), goalertKeysFile))
	keys := settings.GoAlertKeys{}
	// Looked at before anything is made on GoAlert: keys that cannot be written would have to be
	// deleted there by hand.
	if c.Env == "" {
		if keys, err = c.present(path, req.URL); err != nil {
			return err
		}
	}
	if c.RevokeOld {
		return c.revoke(s, req, keys, path)
	}
	c.asBefore(&req, keys)
	in, err := goalert.Setup(s.Ctx, req, now)
	if err != nil {
		return inWords(err)
	}
	keys.Label = req.Label
	keys.URL, keys.CallKey, keys.PollKey, keys.Services, keys.Expires = req.URL, in.CallKey, in.PollKey, in.Services, req.Expires
	// Keys of the set-up before are old ones from now on; revoke takes them away.
	keys.OldKeyIDs, keys.KeyIDs = append(keys.OldKeyIDs, keys.KeyIDs...), in.KeyIDs
	// It stays the same, as addresses that GoAlert posts to hold it.
	keys.WebhookToken = cmp.Or(keys.WebhookToken, goalert.Secret(rand.Text()))
	c.report(s.Stdout, req, in)
	if c.DryRun {
		_, err = fmt.Fprintln(s.Stdout, "\nThis was a dry run: nothing was made or written.")
		return err
	}
	if c.Env != "" {
		return c.printEnv(s.Stdout, req, keys)
	}
	if err := keys.Write(path); err != nil {
		return fmt.Errorf("the API keys were made and cannot be written: %w; delete them in GoAlert, in its administration of API keys: %s", err, strings.Join(in.KeyIDs, ", "))
	}
	_, _ = fmt.Fprintf(s.Stdout, "\nWritten: %s, which only you can read.\n", path)
	c.printSection(s.Stdout, req, "file: "+yamlText(c.besideFile(path)))
	if len(keys.OldKeyIDs) > 0 {
		_, _ = fmt.Fprint(s.Stdout, "\nThe API keys of before go on working. When switchboard was started again, take them away:\n\n  switchboard platform setup goalert --revoke-old\n")
	}
	return nil
}

// request gathers what the set-up needs from the command line, the environment and the input. Flags
// win over the environment, and both over what is asked for. Contradicting flags are refused before
// anything is asked.
func (c GoAlert) request(s *command.Surroundings, now time.Time) (goalert.SetupRequest, error) {
	req := goalert.SetupRequest{
		URL: cmp.Or(c.URL, os.Getenv("GOALERT_URL")), Username: goalert.Secret(c.User), Password: goalert.Secret(os.Getenv("GOALERT_PASSWORD")),
		Services: c.Service, Label: c.Label, DryRun: c.DryRun, Expires: now.AddDate(1, 0, 0).UTC().Truncate(24 * time.Hour),
	}
	if c.Expires != "" {
		at, err := time.Parse(time.DateOnly, c.Expires)
		if err != nil {
			return req, fmt.Errorf("--expires %s is no date such as %s", c.Expires, req.Expires.Format(time.DateOnly))
		}
		req.Expires = at
	}
	if c.All && (len(c.Service) > 0 || c.Label != "") {
		return req, errors.New("--all is every service: leave out --service and --label, or --all")
	}
	if c.Env != "" && (c.Keys != "" || c.RevokeOld) {
		return req, errors.New("--env writes no file: leave out --keys and --revoke-old, or --env")
	}
	// Prompts go to the standard error: the output may be read by a program.
	ask := asking{in: s.Stdin, out: s.Stderr}
	for _, one := range []struct {
		into   *string
		prompt string
		hidden bool
		remedy string
	}{
		{&req.URL, "GoAlert's public URL", false, "name it on the command line or in GOALERT_URL"},
		{(*string)(&req.Username), "name of an administrator", false, "give --user or GOALERT_USER"},
		{(*string)(&req.Password), "password", true, "set GOALERT_PASSWORD, or give it on the standard input"},
	} {
		if *one.into != "" {
			continue
		}
		text, err := ask.line(one.prompt, one.hidden)
		if err != nil || text == "" {
			return req, fmt.Errorf("%s is missing: %s", one.prompt, one.remedy)
		}
		*one.into = text
	}
	req.URL = strings.TrimRight(strings.TrimSpace(req.URL), "/")
	return req, nil
}

// asBefore takes the services of the earlier set-up where the command line names none: who only
// wants new keys need not remember them.
func (c GoAlert) asBefore(req *goalert.SetupRequest, before settings.GoAlertKeys) {
	if c.All || len(req.Services) > 0 || req.Label != "" {
		return
	}
	if req.Label = before.Label; req.Label != "" {
		return
	}
	for _, one := range before.Services {
		req.Services = append(req.Services, one.ID)
	}
}

// present reads the keys of an earlier set-up, and sees whether new ones could be written. A file
// of another GoAlert is refused, as its keys would be lost. A dry run does not try to write.
func (c GoAlert) present(path, url string) (settings.GoAlertKeys, error) {
	keys, err := settings.ReadGoAlertKeys(path)
	switch {
	case err != nil:
		return keys, err
	case keys.URL != "" && keys.URL != url:
		return keys, fmt.Errorf("%s holds the keys of %s: name another file with --keys", path, keys.URL)
	case c.DryRun:
		return keys, nil
	}
	if err := keys.Writable(path); err != nil {
		return keys, fmt.Errorf("the keys could not be written: %w; name another file with --keys", err)
	}
	return keys, nil
}

// revoke takes the keys of earlier set-ups away. Those that could not be deleted stay in the file,
// to be tried again.
func (c GoAlert) revoke(s *command.Surroundings, req goalert.SetupRequest, keys settings.GoAlertKeys, path string) error {
	if len(keys.OldKeyIDs) == 0 {
		_, err := fmt.Fprintf(s.Stdout, "%s names no API keys of earlier set-ups.\n", path)
		return err
	}
	if c.DryRun {
		_, err := fmt.Fprintf(s.Stdout, "These API keys would be taken away: %s\n", strings.Join(keys.OldKeyIDs, ", "))
		return err
	}
	all := keys.OldKeyIDs
	left, failed := goalert.DeleteKeys(s.Ctx, req, all)
	keys.OldKeyIDs = left
	// Also after a failure: keys that are gone must not be named any more.
	if len(left) < len(all) {
		if err := keys.Write(path); err != nil {
			return err
		}
	}
	if failed != nil {
		return inWords(failed)
	}
	_, err := fmt.Fprintf(s.Stdout, "%d API keys of earlier set-ups were taken away.\n", len(all))
	return err
}

// report says what was found. It shows no secret.
func (c GoAlert) report(w io.Writer, req goalert.SetupRequest, in goalert.Installation) {
	_, _ = fmt.Fprintf(w, "GoAlert at %s, signed in as %s, an administrator.\n\nServices that take calls:\n\n", req.URL, string(req.Username))
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(table, "  SERVICE\tTEAM\tLAYERS\tON CALL NOW\tINTEGRATION KEY")
	var rung []string
	for i, f := range in.Found {
		key := "has one"
		if f.NewKey && c.DryRun {
			key = "would get one"
		} else if f.NewKey {
			key = "got one"
		}
		if len(f.OnCall) > 0 {
			rung = append(rung, f.Name)
		}
		_, _ = fmt.Fprintf(table, "  %s\t%s\t%d\t%s\t%s\n", f.Name, cmp.Or(in.Services[i].Team, "the service"), f.Layers, cmp.Or(strings.Join(f.OnCall, ", "), "nobody"), key)
	}
	_ = table.Flush()
	if len(in.Warnings) > 0 {
		_, _ = fmt.Fprintln(w, "\nWarnings:")
		for _, text := range in.Warnings {
			_, _ = fmt.Fprintln(w, "- "+text)
		}
	}
	if len(rung) > 0 {
		_, _ = fmt.Fprintf(w, "\nGoAlert notifies the people of %s by itself. Leave \"How Responders Are Reached\" on \"Automatic\": with \"Ring everybody on call\" their phones would ring twice.\n", strings.Join(rung, ", "))
	}
	if !c.DryRun {
		_, _ = fmt.Fprintf(w, "\nMade: two API keys, which expire on %s.\n", req.Expires.Format(time.DateOnly))
	}
}

// printSection prints the section of the switchboard file. place says where the keys are: a file or
// a variable.
func (c GoAlert) printSection(w io.Writer, req goalert.SetupRequest, place string) {
	_, _ = fmt.Fprintf(w, "\nPut this into the switchboard file, in place of users, teams and routers, and start switchboard again:\n\nplatform:\n  kind: goalert\n  url: %s\n  keys: {%s}\n", yamlText(req.URL), place)
}

// printEnv prints the keys for the environment. The line is quoted for a shell.
func (c GoAlert) printEnv(w io.Writer, req goalert.SetupRequest, keys settings.GoAlertKeys) error {
	line, err := keys.Line()
	if err != nil {
		return err
	}
	_, _ = fmt.Fprintf(w, "\nSet this in the environment of switchboard, and keep it secret:\n\n%s='%s'\n", c.Env, strings.ReplaceAll(line, "'", `'\''`))
	c.printSection(w, req, "env: "+c.Env)
	return nil
}

// besideFile is a path as the switchboard file names it: relative to its own folder if it is below.
// A relative name goes on working when the folder is moved, or mounted elsewhere in a container.
func (c GoAlert) besideFile(path string) string {
	folder, err1 := filepath.Abs(filepath.Dir(c.Path()))
	full, err2 := filepath.Abs(path)
	if err1 != nil || err2 != nil {
		return path
	}
	if relative, err := filepath.Rel(folder, full); err == nil && filepath.IsLocal(relative) {
		return relative
	}
	return full
}

// yamlText quotes a text for YAML where it has characters that mean something there. It is for URLs
// and paths, which have no line breaks.
func yamlText(text string) string {
	if strings.ContainsAny(text, " #'\"{}[],&*!|>%@`") || strings.Contains(text, ": ") {
		return "'" + strings.ReplaceAll(text, "'", "''") + "'"
	}
	return text
}

// inWords is an error without its kind and code, which say nothing to people.
func inWords(err error) error {
	if known := (*integration.Error)(nil); errors.As(err, &known) {
		return errors.New(known.Message)
	}
	return err
}
