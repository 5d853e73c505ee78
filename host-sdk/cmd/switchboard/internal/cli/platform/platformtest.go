package platform

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/cli/command"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/platformcheck"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/platformcheck/result"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/platformcheck/suite"
)

// Test is platform test. Flags that name teams and people may be missing: the tests of behaviour
// are left out then.
type Test struct {
	URL string `arg:"" help:"Base URL of the platform: /protocol is below it."`

	Team      string   `help:"Id of a team with two layers, somebody on call in each, time-outs of an hour and no repetition."`
	OtherTeam string   `help:"Id of another team with somebody on call."`
	User      []string `sep:"none" help:"Id of a person; give it twice, for two people."`
	IdleTeam  string   `help:"Id of a team with nobody on call."`
	Router    string   `help:"Id of a router."`

	HintsListen string        `placeholder:"ADDRESS" help:"Listen here for the platform's hints, such as 127.0.0.1:8099."`
	HintsURL    string        `name:"hints-url" placeholder:"URL" help:"What the platform calls; default: http://ADDRESS/platform/hints."`
	HintWithin  time.Duration `default:"10s" help:"How long a hint may take."`

	Integration string `help:"Integration in whose name alerts are made; default: one that was never used."`
	Tenant      string `help:"Tenant in whose name everything is asked."`

	TokenFile       string `placeholder:"FILE" help:"File that holds the token; else it is in SWITCHBOARD_PLATFORM_TOKEN."`
	HintsSecretFile string `placeholder:"FILE" help:"File that holds the secret of hints (whsec_…); else it is in SWITCHBOARD_PLATFORM_HINTS_SECRET."`
	CAFile          string `name:"ca-file" placeholder:"FILE" help:"Certificates, in PEM, of authorities that sign the platform's."`

	Restart     string   `placeholder:"COMMAND" help:"Shell command that restarts the platform: alerts and numbers must outlive it."`
	Only        []string `name:"run" sep:"none" placeholder:"NAME" help:"Run only the checks whose name holds this text, such as 'reopen' or 'protocol:'; may be given more than once."`
	OpenAPIOnly bool     `name:"openapi-only" help:"Ask questions only and hold the answers against the OpenAPI document: no alert is made."`
	JSON        string   `name:"json" placeholder:"FILE" help:"Write the report as JSON, too; - is the standard output, in place of the text."`
	Yes         bool     `help:"Continue although the platform pages real people."`
}

// Help is shown by platform test --help.
func (Test) Help() string {
	return "Tries a platform behind HTTP (see switchboard platform openapi) and says in words what is wrong: whether it is reached, speaks the protocol, answers as in the document, does what each command means, sends hints, and keeps its alerts.\n\n" +
		"It makes about 60 alerts in an integration of their own. The exit status is 0 when everything is right, 1 when something is wrong, and 2 when something could not be tested."
}

// Run tries the platform and prints the report. Whatever kept it from an answer ends with status 2,
// so that a script does not take it for a fault of the platform.
func (c Test) Run(s *command.Surroundings) error {
	cfg, err := c.config(s)
	if err != nil {
		return command.Untested{Reason: err}
	}
	report, err := platformcheck.Run(s.Ctx, cfg)
	if err != nil {
		return command.Untested{Reason: err}
	}
	if c.JSON == "-" {
		err = report.JSON(s.Stdout)
	} else if err = report.Text(s.Stdout); err == nil && c.JSON != "" {
		err = c.save(report)
	}
	switch {
	case err != nil:
		return command.Untested{Reason: err}
	case report.Outcome == result.Wrong:
		return command.ErrSaid
	case report.Outcome == result.NotTested:
		return command.Untested{Reason: command.ErrSaid}
	}
	return nil
}

// save writes the report as JSON beside the text. An error of closing counts, as the file would be
// cut off.
func (c Test) save(report *result.Report) error {
	file, err := os.Create(c.JSON)
	if err != nil {
		return fmt.Errorf("--json: %w", err)
	}
	return errors.Join(report.JSON(file), file.Close())
}

// config makes the test's configuration of the flags, and reads secrets and certificates. It
// connects to nothing.
func (c Test) config(s *command.Surroundings) (platformcheck.Config, error) {
	cfg := platformcheck.Config{
		URL: c.URL, Team: c.Team, OtherTeam: c.OtherTeam, IdleTeam: c.IdleTeam, Router: c.Router, Users: c.User,
		Integration: c.Integration, Tenant: c.Tenant, HintsListen: c.HintsListen, HintsURL: c.HintsURL, HintWithin: c.HintWithin,
		Restart: c.Restart, Run: c.Only, OpenAPIOnly: c.OpenAPIOnly, Yes: c.Yes, Version: s.Version,
		Progress: func(step string) { _, _ = fmt.Fprintf(s.Stderr, "%s …\n", step) },
	}
	exe, err := os.Executable()
	if err != nil {
		return cfg, err
	}
	// The suite is a Go test, which ends its process: this program starts itself once more for it.
	cfg.Suite = func(ctx context.Context) *exec.Cmd { return exec.CommandContext(ctx, exe, "platform", "suite") }
	if cfg.Token, err = secretFrom(c.TokenFile, "--token-file", "SWITCHBOARD_PLATFORM_TOKEN"); err != nil {
		return cfg, err
	}
	if cfg.HintsSecret, err = secretFrom(c.HintsSecretFile, "--hints-secret-file", "SWITCHBOARD_PLATFORM_HINTS_SECRET"); err != nil {
		return cfg, err
	}
	if c.CAFile != "" {
		pem, err := os.ReadFile(c.CAFile)
		if err != nil {
			return cfg, fmt.Errorf("--ca-file: %w", err)
		}
		roots := x509.NewCertPool()
		if !roots.AppendCertsFromPEM(pem) {
			return cfg, fmt.Errorf("--ca-file: %s holds no certificate in PEM", c.CAFile)
		}
		cfg.TLS = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	}
	return cfg, nil
}

// secretFrom reads a secret from a file, if one is named, else from the environment. A secret has
// no flag of its own, as other users can read command lines. It returns "" if the environment has
// none.
func secretFrom(file, flag, variable string) (string, error) {
	if file == "" {
		return strings.TrimSpace(os.Getenv(variable)), nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("%s: %w", flag, err)
	}
	if strings.TrimSpace(string(text)) == "" {
		return "", fmt.Errorf("%s: %s is empty", flag, file)
	}
	return strings.TrimSpace(string(text)), nil
}

// Suite is platform suite: the process that platform test starts for the tests of
// behaviour.
type Suite struct{}

// Run does not return once the tests have begun.
func (Suite) Run(*command.Surroundings) error { return suite.Run(os.Stdin) }
