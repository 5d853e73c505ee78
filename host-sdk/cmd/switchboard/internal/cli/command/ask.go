package command

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/admin"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/settings"
)

// LocalFlags are the flags of commands that change what lies on this machine.
type LocalFlags struct {
	settings.Flags `group:"The host, its data and its settings, as for switchboard serve:"`
	JSON           bool `name:"json" help:"Print JSON, as the API answers."`
}

// Settings resolves the flags; see [Resolve].
func (f LocalFlags) Settings(s *Surroundings) (settings.Settings, error) { return Resolve(s, f.Flags) }

// HostFlags are the flags of commands that ask a running host, wherever it runs.
type HostFlags struct {
	settings.Flags `group:"The host, its data and its settings, as for switchboard serve:"`
	Host           string `name:"host" placeholder:"URL" help:"Ask the switchboard at this address, with the API token, in place of the one of these settings."`
	Unencrypted    bool   `name:"unencrypted" help:"Let --host be an http:// address of another machine, so that everybody on the way can read the token and the answer."`
}

// Settings resolves the flags; see [Resolve].
func (f HostFlags) Settings(s *Surroundings) (settings.Settings, error) {
	resolved, err := Resolve(s, f.Flags)
	if err != nil {
		return resolved, err
	}
	resolved.Host, err = f.address()
	return resolved, err
}

// address is the host's address as it is asked; "": none was given. A token is sent there, so what
// is no plain address of a switchboard is refused before anything is sent.
func (f HostFlags) address() (string, error) {
	if f.Host == "" {
		return "", nil
	}
	u, err := url.Parse(f.Host)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return "", fmt.Errorf("--host %q is not the address of a switchboard: use one such as https://hotline.example.com", redacted(f.Host))
	}
	if u.Scheme == "http" && !settings.ThisMachine(u.Hostname()) && !f.Unencrypted {
		return "", fmt.Errorf("--host %s is not encrypted, and everybody on the way could read the API token: use https, or say --unencrypted where the way is safe, such as in a VPN", f.Host)
	}
	return strings.TrimRight(f.Host, "/"), nil
}

// redacted is an address without the name and password that somebody has put before an @, whether
// or not the rest is an address.
func redacted(address string) string {
	return address[strings.LastIndexByte(address, '@')+1:]
}

// AskFlags are the flags of commands that ask the running host, or the database where none runs.
type AskFlags struct {
	HostFlags
	JSON bool `name:"json" help:"Print JSON, as the API answers."`
}

// HowAsked says in helps where an answer comes from.
const HowAsked = "Asks the running host: the one on the same data directory, or with PostgreSQL whichever answers at the public address. If none is running, opens the database briefly. With --host, asks the one at that address. Where the API token is switched off, set SWITCHBOARD_API_TOKEN to a token of an admin."

// HowRunning and HowManaged say in helps whom a command asks. The latter is for what admins alone
// may do.
const (
	HowRunning = asksRunning + "a responder or an admin."
	HowManaged = asksRunning + "an admin."

	asksRunning = "Asks the running host: the one on the same data directory, or with PostgreSQL whichever answers at the public address; with --host, the one at that address. Where the API token is switched off, set SWITCHBOARD_API_TOKEN to a token of "
)

// Running asks the running host and decodes its answer into v, or prints it where JSON is wanted;
// then printed is true. Without a running host it is an error.
func (f AskFlags) Running(s *Surroundings, method, path string, body, v any) (printed bool, err error) {
	resolved, err := f.Settings(s)
	if err != nil {
		return false, err
	}
	answer, err := admin.AskRunning(s.Ctx, resolved, method, path, body, v)
	if err != nil || !f.JSON {
		return false, err
	}
	return true, PrintJSON(s.Stdout, answer)
}

// Do has the running host do something to which it answers nothing, and says that it is done: in
// words, or with --json as what it was done to.
func (f AskFlags) Do(s *Surroundings, method, path string, to map[string]string, done string) error {
	resolved, err := f.Settings(s)
	if err != nil {
		return err
	}
	if _, err := admin.AskRunning(s.Ctx, resolved, method, path, nil, nil); err != nil {
		return err
	}
	if f.JSON {
		return PrintJSON(s.Stdout, to)
	}
	_, err = fmt.Fprintln(s.Stdout, done)
	return err
}

// Named is an argument as a part of an address of the API. An empty one, such as of a variable of a
// script that was not set, is an error that names the command which shows what there is.
func Named(argument, value, list string) (string, error) {
	if value == "" {
		return "", fmt.Errorf("<%s> is empty: %s shows all", argument, list)
	}
	return url.PathEscape(value), nil
}
