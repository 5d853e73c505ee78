// Package component decides what becomes of a test that needs more than Go: Chromium, packages that
// npm fetches, promtool, or PostgreSQL.
//
// The environment variable LIVECALL_TESTS says which tests are wanted:
//
//	go    those that need Go alone; the others are skipped, each with the make target that runs it
//	all   all of them: a missing component is a failure
//	      (unset) all whose component is there; with CI=true the same as all
package component

import (
	"fmt"
	"os"
)

// The make targets that run the tests of a component.
const (
	Browser    = "test-browser"    // Chromium, and what npm fetches for its pages
	NPM        = "test-npm"        // Twilio's OpenAPI document, and a gRPC client for Node
	Monitoring = "test-monitoring" // promtool, of Debian's package prometheus
	Proxies    = "test-proxies"    // nginx and Caddy
	Postgres   = "test-postgres"   // PostgreSQL
	Upgrade    = "test-upgrade"    // the history of the repository, with the previous release
)

// TB is what Get needs of a *testing.T.
type TB interface {
	Helper()
	Skip(args ...any)
	Fatal(args ...any)
}

// Get returns what get finds or fetches of a component, for a test of that target. The test is
// skipped when it is not wanted, or when the component is missing and need not be there; otherwise
// a missing component fails the test. The error of get names the remedy.
func Get[T any](t TB, target string, get func() (T, error)) T {
	t.Helper()
	if GoOnly() {
		t.Skip("needs more than Go: make " + target)
	}
	got, err := get()
	if err != nil {
		if os.Getenv("LIVECALL_TESTS") == "all" || os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip(fmt.Sprintf("make %s needs a component that is missing here: %v", target, err))
	}
	return got
}

// GoOnly reports whether only tests that need Go alone are wanted.
func GoOnly() bool { return os.Getenv("LIVECALL_TESTS") == "go" }
