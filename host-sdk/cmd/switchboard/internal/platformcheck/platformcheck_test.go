package platformcheck_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/platformcheck"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/platformcheck/result"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/platformcheck/suite"
	"github.com/livecallrouting/livecall/integration-tests/component"
	"github.com/livecallrouting/livecall/internal/freeport"
	"github.com/livecallrouting/livecall/internal/testmain"
)

// The test binary is the suite's process where suiteVariable is set.
const suiteVariable = "PLATFORMCHECK_SUITE"

func TestMain(m *testing.M) {
	if os.Getenv(suiteVariable) != "" {
		fmt.Fprintln(os.Stderr, suite.Run(os.Stdin))
		os.Exit(1)
	}
	testmain.Together(4) // most of these tests wait for another process most of the time
	os.Exit(testmain.Run(m))
}

const (
	token  = "a-token-of-more-than-32-characters"
	secret = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
)

// server is an example server, spoiled or not.
type server struct{ url, hints, restart string }

const (
	pythonExample = "../../../../examples/remote-platform/python/platform_server.py"
	nodeExample   = "../../../../examples/remote-platform/node/platform_server.mjs"
)

// example starts the example in Python; of each pair of texts the first is replaced in its source,
// where it is found first.
func example(t testing.TB, replaced ...string) server {
	t.Helper()
	text, err := os.ReadFile(pythonExample)
	if err != nil {
		t.Fatal(err)
	}
	source := string(text)
	for i := 0; i+1 < len(replaced); i += 2 {
		if !strings.Contains(source, replaced[i]) {
			t.Fatalf("the example has no more %q", replaced[i])
		}
		source = strings.Replace(source, replaced[i], replaced[i+1], 1)
	}
	path := filepath.Join(t.TempDir(), "server.py")
	if err := os.WriteFile(path, []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	return start(t, "python3", path)
}

// start runs an example server until the test ends.
func start(t testing.TB, program, path string) server {
	t.Helper()
	component.Get(t, "test", func() (string, error) { return exec.LookPath(program) })
	path, err := filepath.Abs(path)
	if err == nil {
		// What a test reads belongs to its cached result: a changed example is tested again.
		_, err = os.Stat(path)
	}
	if err != nil {
		t.Fatal(err)
	}
	dir, address := t.TempDir(), freeport.Address(t)
	s := server{url: "http://" + address, hints: freeport.Address(t)}
	// The address is free once the process has gone: what is left of it then has no program.
	stop := "cd '" + dir + "'; kill -9 $(cat pid) 2>/dev/null; while test -e /proc/$(cat pid)/exe; do sleep 0.02; done; "
	s.restart = stop + fmt.Sprintf("export PLATFORM_TOKEN=%s HINTS_SECRET=%s HINTS_URL=http://%s/platform/hints; %s '%s' %s alerts >log 2>&1 & echo $! >'%s/pid'",
		token, secret, s.hints, program, path, address, dir)
	if out, err := exec.Command("sh", "-c", s.restart).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	t.Cleanup(func() { _ = exec.Command("sh", "-c", stop).Run() })
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		said, _ := os.ReadFile(filepath.Join(dir, "log"))
		if strings.Contains(string(said), "serving") {
			return s
		}
		if time.Now().After(deadline) {
			t.Fatalf("the server does not begin: %s", said)
		}
	}
}

// config tries everything that the example has.
func (s server) config() platformcheck.Config {
	return platformcheck.Config{
		URL: s.url, Token: token, HintsSecret: secret, HintsListen: s.hints, HintWithin: 30 * time.Second, Timeout: 30 * time.Second,
		Team: "devops", OtherTeam: "support", IdleTeam: "idle", Users: []string{"alice", "bob"},
		Suite: func(ctx context.Context) *exec.Cmd {
			cmd := exec.CommandContext(ctx, os.Args[0])
			cmd.Env = append(os.Environ(), suiteVariable+"=1")
			return cmd
		},
	}
}

// try runs everything and returns the report and its text.
func try(t testing.TB, cfg platformcheck.Config) (*result.Report, string) {
	t.Helper()
	report, err := platformcheck.Run(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	if err := report.Text(&text); err != nil {
		t.Fatal(err)
	}
	return report, text.String()
}

// The examples pass, over a restart too, and nothing is left out but what they do not claim.
func TestTheExamplesAreRight(t *testing.T) {
	t.Parallel()
	for program, path := range map[string]string{"python3": pythonExample, "node": nodeExample} {
		t.Run(program, func(t *testing.T) {
			t.Parallel()
			server := start(t, program, path)
			cfg := server.config()
			cfg.Restart = server.restart
			report, text := try(t, cfg)
			if report.Outcome != result.Right {
				t.Errorf("the example is %s:\n%s", report.Outcome, text)
			}
			for _, step := range report.Steps {
				for _, c := range step.Checks {
					unclaimed := strings.Contains(strings.Join(c.Says, " "), "does not declare the capability")
					// As the machine is.
					slow := strings.Contains(strings.Join(c.Says, " "), " ms") || strings.Contains(strings.Join(c.Says, " "), "The slowest hint")
					if c.Outcome == result.Noted && !slow || c.Outcome == result.Skipped && !unclaimed {
						t.Errorf("%s: %s is left out: %q", step.Name, c.Name, c.Says)
					}
				}
			}
		})
	}
}

// Every test of the suite is explained to who implements a platform, and no other.
func TestEveryTestOfTheSuiteIsExplained(t *testing.T) {
	t.Parallel()
	report, text := try(t, func() platformcheck.Config {
		cfg := example(t, `{"unrouted_alerts": True, `, `{"audiences": True, "routers": True, "annotations": True, "unrouted_alerts": True, `).config()
		cfg.Run = []string{"behaviour: "}
		return cfg
	}())
	for _, step := range report.Steps {
		for _, c := range step.Checks {
			if step.Name == "behaviour" && c.About == "" {
				t.Errorf("%s is not explained:\n%s", c.Name, text)
			}
		}
	}
	if got := platformcheck.Unexplained(report); len(got) > 0 {
		t.Errorf("what is explained and was not run: %q\n%s", got, text)
	}
}

// find returns a check of a report.
func find(t testing.TB, report *result.Report, step, name string) *result.Check {
	t.Helper()
	for _, s := range report.Steps {
		for _, c := range s.Checks {
			if s.Name == step && c.Name == name {
				return c
			}
		}
	}
	return &result.Check{}
}

// A platform that reaches people by itself is asked questions only, until the command is told that
// this is meant.
func TestRealPeopleAreNotPagedUnasked(t *testing.T) {
	t.Parallel()
	server := example(t, `{"unrouted_alerts": True, `, `{"pages_by_itself": True, "unrouted_alerts": True, `)
	cfg := server.config()
	report, text := try(t, cfg)
	says := strings.Join(find(t, report, "questions", "people may be paged").Says, " ")
	if report.Outcome != result.NotTested || report.Alerts != 0 || !strings.Contains(says, "Repeat with --yes") || !strings.Contains(says, "the teams devops and support") {
		t.Errorf("the outcome is %s with %d alerts:\n%s", report.Outcome, report.Alerts, text)
	}
	cfg.Yes, cfg.Run = true, []string{"behaviour: create"}
	if report, text = try(t, cfg); report.Outcome != result.Right || report.Alerts == 0 {
		t.Errorf("with Yes the outcome is %s with %d alerts:\n%s", report.Outcome, report.Alerts, text)
	}
}

// With OpenAPIOnly no alert is made; what is asked is held against the document.
func TestOpenAPIOnlyMakesNoAlert(t *testing.T) {
	t.Parallel()
	cfg := example(t, `"phones": ["+12025550143"]`, `"phones": "+12025550143"`).config()
	cfg.OpenAPIOnly = true
	report, text := try(t, cfg)
	says := strings.Join(find(t, report, "answers", "answers are as in the OpenAPI document").Says, "\n")
	if report.Alerts != 0 || report.Outcome != result.Wrong || !strings.Contains(says, `user: phones is "+12025550143": it must be an array`) {
		t.Errorf("%d alerts were made:\n%s", report.Alerts, text)
	}
}

// Teams and people that will not do are named, with those that would.
func TestUnfitTeamsAreNamedWithThoseThatFit(t *testing.T) {
	t.Parallel()
	server := example(t)
	for name, c := range map[string]struct {
		change func(*platformcheck.Config)
		says   string
	}{
		"none":            {func(c *platformcheck.Config) { c.Team, c.OtherTeam, c.Users = "", "", nil }, "These flags are missing: --team, --other-team, --user twice"},
		"which would do":  {func(c *platformcheck.Config) { c.Team = "" }, "two layers have somebody on call in: devops"},
		"one layer":       {func(c *platformcheck.Config) { c.Team, c.OtherTeam = "support", "devops" }, "--team support: the tests need somebody on call in layer 1 and in layer 2"},
		"nobody":          {func(c *platformcheck.Config) { c.OtherTeam = "idle" }, "--other-team idle: nobody is on call"},
		"somebody":        {func(c *platformcheck.Config) { c.IdleTeam = "support" }, "--idle-team support: somebody is on call"},
		"unknown":         {func(c *platformcheck.Config) { c.Team = "ops" }, "--team ops: who is on call was answered with 404 with the kind not_found"},
		"one person":      {func(c *platformcheck.Config) { c.Users = []string{"alice"} }, "--user twice (it is there 1 times)"},
		"the same person": {func(c *platformcheck.Config) { c.Users = []string{"alice", "alice"} }, "must be different ones"},
	} {
		cfg := server.config()
		c.change(&cfg)
		cfg.HintsListen = ""
		report, text := try(t, cfg)
		if flat := strings.Join(strings.Fields(text), " "); report.Outcome != result.NotTested || !strings.Contains(flat, c.says) {
			t.Errorf("%s: the outcome is %s, want not tested and %q:\n%s", name, report.Outcome, c.says, text)
		}
	}
}

// Without an address to listen on, everything but hints is tried.
func TestHintsThatNobodyListensToAreNotTested(t *testing.T) {
	t.Parallel()
	cfg := example(t).config()
	cfg.HintsListen, cfg.Run = "", []string{"behaviour: hints", "behaviour: create", "hints: "}
	report, text := try(t, cfg)
	if report.Outcome != result.NotTested || find(t, report, "behaviour", "create").Outcome != result.Right ||
		find(t, report, "behaviour", "hints").Outcome != result.NotTested || !strings.Contains(text, "--hints-listen") {
		t.Errorf("the outcome is %s:\n%s", report.Outcome, text)
	}
}

// An address that cannot be reached is not wrong, but not tested; the reason is said in words.
func TestWhyAnAddressIsNotReachedIsSaid(t *testing.T) {
	t.Parallel()
	encrypted := httptest.NewUnstartedServer(http.NotFoundHandler())
	encrypted.Config.ErrorLog = log.New(io.Discard, "", 0)
	encrypted.StartTLS()
	t.Cleanup(encrypted.Close)
	plain := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(plain.Close)
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	for name, c := range map[string]struct{ url, says string }{
		"nobody listens":    {closed.URL, "Nothing listens at this address"},
		"unknown authority": {encrypted.URL, "signed by an authority that this machine does not know: name its file with --ca-file"},
		"no TLS":            {strings.Replace(plain.URL, "http", "https", 1), "does not speak TLS at this address: is it http?"},
	} {
		cfg := server{url: c.url}.config()
		cfg.HintsListen = ""
		report, text := try(t, cfg)
		if flat := strings.Join(strings.Fields(text), " "); report.Outcome != result.NotTested || !strings.Contains(flat, c.says) {
			t.Errorf("%s: the outcome is %s, want not tested and %q:\n%s", name, report.Outcome, c.says, text)
		}
	}
	roots := x509.NewCertPool()
	roots.AddCert(encrypted.Certificate())
	cfg := server{url: encrypted.URL}.config()
	cfg.HintsListen, cfg.TLS = "", &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	if report, text := try(t, cfg); report.Outcome != result.Wrong || !strings.Contains(text, "GET /protocol is answered with status 404") {
		t.Errorf("with its authority the server is %s:\n%s", report.Outcome, text)
	}
}

// changing makes the example one that is asked for changes instead of sending hints.
func changing(more ...string) []string {
	return append([]string{
		`"hints": "webhook"}`, `"hints": "changes"}`,
		"    HINTS.put({", "    CHANGED.append({",
		"class Store:", `CHANGED = []


def changes(query):
    after, until = int(query.get("after", len(CHANGED))), time.time() + int(query.get("wait", 0))
    if after > len(CHANGED):
        raise Problem(410, "not_found", "the cursor is too old")
    while after == len(CHANGED) and time.time() < until:
        time.sleep(0.01)
    return {"cursor": str(len(CHANGED)), "alerts": CHANGED[after:]}


class Store:`,
		`        case ["GET", "v1", "teams"]:`, `        case ["GET", "v1", "changes"]:
            return changes({"after": "1000000"} if not query.get("after", "0").isdigit() else query)
        case ["GET", "v1", "teams"]:`,
	}, more...)
}

// A platform that cannot call out passes with the changes that it is asked for, and needs nobody to
// listen.
func TestAPlatformThatIsAskedForChanges(t *testing.T) {
	t.Parallel()
	cfg := example(t, changing()...).config()
	cfg.HintsListen, cfg.Tenant, cfg.Run = "", "acme", []string{"hints"}
	report, text := try(t, cfg)
	if report.Outcome != result.Right || find(t, report, "hints", "waiting for changes").Outcome != result.Right || find(t, report, "behaviour", "hints").Outcome != result.Right {
		t.Errorf("the outcome is %s:\n%s", report.Outcome, text)
	}
}

// A platform that says nothing passes too; the report notes what callers lose.
func TestAPlatformThatSendsNoHints(t *testing.T) {
	t.Parallel()
	cfg := example(t, `"hints": "webhook"}`, `"hints": "none"}`).config()
	cfg.HintsListen, cfg.Run = "", []string{"hints", "protocol 1"}
	report, text := try(t, cfg)
	if report.Outcome != result.Right || find(t, report, "behaviour", "hints").Outcome != result.Skipped || !strings.Contains(text, "callers may wait up to a minute") {
		t.Errorf("the outcome is %s:\n%s", report.Outcome, text)
	}
}
