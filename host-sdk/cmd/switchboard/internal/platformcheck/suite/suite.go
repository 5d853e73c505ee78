package suite

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/platform/platformtest"
	"github.com/livecallrouting/livecall/host-sdk/platform/remote"
)

// Input is what the suite's process reads from its standard input, as a line of JSON. It holds
// the secret of hints and a token that is good for the proxy alone.
type Input struct {
	URL, Token, HintsSecret, Version  string
	Integration, Tenant               string
	Team, OtherTeam, IdleTeam, Router string
	Users                             [2]string
	HintWithin, Timeout               time.Duration
	OwnHints                          bool     // the adapter's, as nobody listens to the platform's
	Tests                             []string // names of those to run
}

// Lines that are no test's output begin with Mark, as those of package testing do in this mode.
const (
	Mark      = "\x16"
	AskedMark = Mark + "=== ASKED " // a request that the present test has made follows
	HintsMark = Mark + "=== HINTS " // the address that hints are to be handed to follows
)

// Names of tests: the one whose parts are those of the suite, and one beside it.
const (
	Name      = "suite"
	Tolerance = "nothing is left out of the answers"
)

// Run is the whole of the process: it reads what to try from in and ends the process with package
// testing's status. It returns only if it cannot begin.
func Run(in io.Reader) error {
	var input Input
	decoder := json.NewDecoder(in)
	if err := decoder.Decode(&input); err != nil {
		return errors.New("this command is started by switchboard platform test alone")
	}
	go func() { // whoever started this process has gone when its end of the pipe closes
		_, _ = io.Copy(io.Discard, in)
		os.Exit(3)
	}()
	adapter, err := remote.New(input.adapter())
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	// The command's listener hands hints on to this address.
	go func() { _ = http.Serve(listener, adapter.Hints()) }() //nolint:gosec // one caller, on this machine
	fmt.Printf("%shttp://%s\n", HintsMark, listener.Addr())
	testing.Init()
	// As go test -v=test2json would: each line says whose it is.
	for name, value := range map[string]string{"test.v": "test2json", "test.run": input.pattern(), "test.timeout": "30m", "test.paniconexit0": "false"} {
		if err := flag.Set(name, value); err != nil {
			return err
		}
	}
	tests := []testing.InternalTest{
		{Name: Name, F: func(t *testing.T) { platformtest.Test(t, input.suite(adapter)) }},
		{Name: strings.ReplaceAll(Tolerance, " ", "_"), F: func(t *testing.T) { complaints(t, adapter) }},
	}
	testing.Main(matches, tests, nil, nil)
	return nil
}

// adapter is the configuration of the adapter under test, with a logger that names its requests.
func (i Input) adapter() remote.Config {
	var secrets []string
	if i.HintsSecret != "" {
		secrets = []string{i.HintsSecret}
	}
	return remote.Config{
		URL: i.URL, Token: i.Token, HintsSecrets: secrets, Tenant: i.Tenant, Version: i.Version,
		NoOwnHints: !i.OwnHints, Timeout: i.Timeout, Logger: slog.New(asked{}),
	}
}

// suite is the configuration of the conformance suite: each of its tests uses this platform.
func (i Input) suite(adapter *remote.Platform) platformtest.Config {
	return platformtest.Config{OnceOnly: true, HintWithin: i.HintWithin, New: func(*testing.T) platformtest.Fixture {
		return platformtest.Fixture{
			Platform: adapter, Scope: platform.Scope{Integration: i.Integration},
			Team: i.Team, OtherTeam: i.OtherTeam, IdleTeam: i.IdleTeam, Router: i.Router, Users: i.Users,
		}
	}}
}

// pattern says what package testing is to run.
func (i Input) pattern() string {
	var names []string
	for _, name := range i.Tests {
		names = append(names, regexp.QuoteMeta(strings.ReplaceAll(name, " ", "_")))
	}
	// The second test has no parts: it is run if its own name is among them.
	pattern := "^(" + Name + ")$/^(" + strings.Join(names, "|") + ")$"
	if slices.Contains(i.Tests, Tolerance) {
		pattern += "|^" + strings.ReplaceAll(Tolerance, " ", "_") + "$"
	}
	return pattern
}

// matches is how package testing compares names with the pattern.
func matches(pattern, name string) (bool, error) { return regexp.MatchString(pattern, name) }

// complaints fails for what the adapter found strange in answers that it could use all the same.
// The suite changes more alerts a second than a platform may hint at, and a refused hint is late.
func complaints(t *testing.T, adapter *remote.Platform) {
	for _, text := range adapter.Findings() {
		// Hints have a test of their own, and members that are misspelt are among the shapes.
		if !strings.Contains(text, "hint") && !strings.Contains(text, "not in the document") {
			t.Error(text)
		}
	}
}
