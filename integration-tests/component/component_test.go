package component_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/livecallrouting/livecall/integration-tests/component"
)

// recorder stops Get as a test would be stopped, and keeps how.
type recorder struct{ end, why string }

func (*recorder) Helper() {}

func (r *recorder) Skip(args ...any)  { r.stop("skipped", args) }
func (r *recorder) Fatal(args ...any) { r.stop("failed", args) }

func (r *recorder) stop(end string, args []any) {
	r.end, r.why = end, fmt.Sprint(args...)
	panic(r)
}

func TestGet(t *testing.T) {
	missing := errors.New("no Chromium: install it")
	for _, tc := range []struct {
		tests, ci string
		err       error
		end, why  string // "": the test goes on
	}{
		{"", "", nil, "", ""},
		{"", "", missing, "skipped", "no Chromium: install it"},
		{"", "true", nil, "", ""},
		{"", "true", missing, "failed", "no Chromium: install it"},
		{"all", "", nil, "", ""},
		{"all", "", missing, "failed", "no Chromium: install it"},
		{"go", "", nil, "skipped", "make test-browser"},
		{"go", "true", missing, "skipped", "make test-browser"},
	} {
		t.Setenv("LIVECALL_TESTS", tc.tests)
		t.Setenv("CI", tc.ci)
		var r recorder
		asked, got := false, ""
		func() {
			defer func() { _ = recover() }()
			got = component.Get(&r, component.Browser, func() (string, error) {
				asked = true
				return "found", tc.err
			})
		}()
		if r.end != tc.end || !strings.Contains(r.why, tc.why) || (got == "found") != (tc.end == "") {
			t.Errorf("LIVECALL_TESTS=%q CI=%q, %v: %s %q, got %q", tc.tests, tc.ci, tc.err, r.end, r.why, got)
		}
		if asked == (tc.tests == "go") {
			t.Errorf("LIVECALL_TESTS=%q: looked for the component: %v", tc.tests, asked)
		}
	}
}
