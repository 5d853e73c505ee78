package setup

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/cli/command"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/firstfile"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/installer"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/settings"
	"github.com/livecallrouting/livecall/host-sdk/internal/shellword"
	"github.com/livecallrouting/livecall/host-sdk/manifest"
	"github.com/livecallrouting/livecall/host-sdk/publicurl"
)

// Files of the service that packages install: the switchboard file where its unit finds one, and
// its settings.
var (
	serviceFiles    = []string{"/var/lib/livecall/switchboard.yaml", "/etc/livecall/switchboard.yaml"}
	serviceSettings = "/etc/livecall/environment"
)

// next says what was written and what to do now. made: there is an integration. Steps depend on
// what was answered, so that nobody is sent to a page that cannot work yet.
func (c Init) next(s *command.Surroundings, path, environment string, a firstfile.Answers, made bool) error {
	_, _ = fmt.Fprintf(s.Stdout, "Written, for you alone to read:\n  %s  people, teams and schedules\n  %s  settings, with a new secret key and a new API token\n", path, environment)
	if made {
		_, _ = fmt.Fprintf(s.Stdout, "  %s  the database, with the integration %s\n", filepath.Join(filepath.Dir(path), settings.DefaultDataDir), a.Team)
	}
	_, _ = fmt.Fprint(s.Stdout, "\nNext:\n")
	n := 0
	step := func(format string, args ...any) {
		n++
		_, _ = fmt.Fprintf(s.Stdout, "  %d. "+format+"\n", append([]any{n}, args...)...)
	}
	service := c.forService(s, path)
	step("Keep SWITCHBOARD_SECRET_KEY of %s in another place, too.", environment)
	if service {
		step("Give the settings to the service:  sudo sh -c %s", shellword.Word("cat "+shellword.Path(environment)+" >>"+serviceSettings))
	} else {
		step("Take the settings into this shell:  set -a; . %s; set +a", shellword.Path(environment))
	}
	if found, _ := manifest.List(c.PluginDirOr(s.ExeDir)); len(found) == 0 {
		step("Install the plugin:  switchboard plugin install ARCHIVE")
	}
	doctor := "switchboard doctor"
	if service {
		step("Start it, now and whenever the machine starts:  sudo systemctl enable --now switchboard")
		// The doctor reads the service's settings, and runs as the service's user, whose database
		// it opens.
		doctor = "sudo sh -c 'set -a; . " + serviceSettings + "; exec runuser -u livecall -- switchboard doctor'"
	} else {
		step("Start:  switchboard serve")
	}
	address := cmp.Or(a.PublicURL, "http://"+settings.DefaultListen)
	switch {
	case a.PublicURL == "":
		step("Give the machine a public https address, and set SWITCHBOARD_PUBLIC_URL to it: until then no carrier can call it.")
	case publicurl.Check(a.PublicURL) != nil:
		step("No telephone carrier can call %s (%s): set SWITCHBOARD_PUBLIC_URL to a public https address.", a.PublicURL, publicurl.Check(a.PublicURL))
	default:
		step("Let %s lead to %s, with a reverse proxy that has a certificate.", a.PublicURL, settings.DefaultListen)
	}
	step("See what is missing:  %s", doctor)
	how := "the API token of " + environment
	if a.Email != "" && a.SMTPURL != "" {
		how = a.Email + " or " + how
	}
	number := cmp.Or(a.Number, "a number")
	if made {
		step("Open %s, log in with %s, connect %s on the page of the integration, and call.", address, how, number)
		return nil
	}
	step("Open %s, log in with %s, and create an integration: its form asks for the account of the telephone service.", address, how)
	if a.Number != "" {
		step("Connect %s to it there, and call.", a.Number)
	}
	return nil
}

// forService says whether the service of a package will serve what was written: this program
// belongs to a package, and the file is one that its unit looks for. Else the person starts the
// program by hand, with the settings in a shell.
func (c Init) forService(s *command.Surroundings, path string) bool {
	file, err := filepath.Abs(path)
	return err == nil && slices.Contains(serviceFiles, file) &&
		installer.Folder{Path: filepath.Join(s.ExeDir, settings.DefaultPluginDir)}.Packaged()
}
