package platformcheck

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/platform/remote"
)

// Config says what to try. The command's flags fill it in.
type Config struct {
	URL         string // base URL of the platform
	Token       string
	HintsSecret string      // "whsec_…"; "": hints cannot be tried
	TLS         *tls.Config // nil: the system's authorities

	// Team has two escalation layers with somebody on call in each, and is not repeated. OtherTeam
	// has somebody on call; IdleTeam has nobody, "" leaves out what needs it. Users are two people,
	// Router is a router or "".
	Team, OtherTeam, IdleTeam, Router string
	Users                             []string

	Integration string // "": one that was never used
	Tenant      string

	HintsListen string        // where to listen for hints; "": hints cannot be tried
	HintsURL    string        // what the platform calls; "": http:// and HintsListen
	HintWithin  time.Duration // how long a hint may take; 0: 10 s
	Timeout     time.Duration // how long a question of the suite may take; 0: 2 s, as for callers

	Restart     string   // a shell command that restarts the platform; "": not tried
	Run         []string // only checks whose "step: name" holds one of these texts; nil: all
	OpenAPIOnly bool     // only questions, checked against the document: no alert is made
	Yes         bool     // people may be paged

	Version string // of this program
	// Suite returns the command of the process in which the suite runs: it calls suite.Run.
	Suite func(ctx context.Context) *exec.Cmd
	// Progress is called with the name of each step before it begins; nil: not.
	Progress func(step string)
}

// complete fills in what was left out, and says what is wrong in the words of the command's flags.
// The address and the secrets are checked as the adapter does.
func (c *Config) complete() error {
	if c.Token == "" {
		return errors.New("the platform's token is missing: set SWITCHBOARD_PLATFORM_TOKEN, or name a file with --token-file")
	}
	secrets := []string{}
	if c.HintsSecret != "" {
		secrets = append(secrets, c.HintsSecret)
	}
	if _, err := remote.New(remote.Config{URL: c.URL, Token: c.Token, HintsSecrets: secrets}); err != nil {
		return err
	}
	if c.HintsListen != "" && c.HintsSecret == "" {
		return errors.New("--hints-listen needs the secret that hints are signed with: set SWITCHBOARD_PLATFORM_HINTS_SECRET, or name a file with --hints-secret-file")
	}
	if c.HintsURL != "" && c.HintsListen == "" {
		return errors.New("--hints-url is what the platform calls: it needs --hints-listen, where this command listens")
	}
	// A new one for each run, so that nothing of an earlier one is in the way.
	if c.Integration == "" {
		c.Integration = "livecall-test-" + random()
	}
	if c.HintWithin <= 0 {
		c.HintWithin = 10 * time.Second
	}
	if c.Progress == nil {
		c.Progress = func(string) {}
	}
	return nil
}

// fixture says which flags are missing for the tests of behaviour. None: the tests can run.
func (c *Config) fixture() []string {
	var missing []string
	for _, x := range []struct{ flag, value string }{{"--team", c.Team}, {"--other-team", c.OtherTeam}} {
		if x.value == "" {
			missing = append(missing, x.flag)
		}
	}
	if len(c.Users) != 2 {
		missing = append(missing, fmt.Sprintf("--user twice (it is there %d times)", len(c.Users)))
	}
	return missing
}

// asked reports whether a check is to be run. Without texts every check is.
func (c *Config) asked(step, name string) bool {
	return len(c.Run) == 0 || slices.ContainsFunc(c.Run, func(text string) bool { return strings.Contains(step+": "+name, text) })
}
