package router

import (
	"encoding/json"
	"errors"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// The files of testdata hold what other implementations answer; testdata/make.mjs makes them.

func readTestdata(t *testing.T, name string, into any) {
	t.Helper()
	data, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, into); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}

func TestAgreesWithSift(t *testing.T) {
	t.Parallel()
	var cases []struct {
		Query json.RawMessage
		Facts json.RawMessage
		Want  any
	}
	readTestdata(t, "sift.json", &cases)
	failed := 0
	for _, c := range cases {
		rules := `[{"match":` + string(c.Query) + `,"actions":[{"type":"assign","receiver":"a"}]}]`
		router, problems := Parse([]byte(rules), nil)
		var got any = "error"
		if router != nil {
			v, err := router.EvaluateJSON(c.Facts, time.Unix(0, 0))
			if err != nil || len(v.Notes) > 0 {
				t.Fatalf("%s on %s: %v %v", c.Query, c.Facts, err, v.Notes)
			}
			got = v.Rule == 1
		}
		if got != c.Want {
			t.Errorf("%s on %s: got %v, sift says %v (%v)", c.Query, c.Facts, got, c.Want, problems)
			if failed++; failed > 20 {
				t.FailNow()
			}
		}
	}
}

func TestAgreesWithECMAScript(t *testing.T) {
	t.Parallel()
	var file struct {
		Subjects []string
		Cases    []struct {
			Pattern, Flags string
			Error          bool
			Hits           []int
		}
	}
	readTestdata(t, "regex.json", &file)
	for _, c := range file.Cases {
		re, _, err := compileRegex(c.Pattern, c.Flags)
		var unsupported unsupportedError
		switch {
		case c.Error && strings.Contains(c.Flags, "u"):
			continue // with flag u ECMAScript also refuses escapes that mean nothing, and single braces
		case !c.Error && errors.As(err, &unsupported):
			if !needsBacktracking.MatchString(c.Pattern) {
				t.Errorf("/%s/%s: %v, but Go can match it", c.Pattern, c.Flags, err)
			}
			continue
		case (err != nil) != c.Error:
			t.Errorf("/%s/%s: error %v, ECMAScript says %v", c.Pattern, c.Flags, err, c.Error)
			continue
		case err != nil:
			continue
		}
		for i, s := range file.Subjects {
			if knownToDiffer(c.Flags, s) {
				continue
			}
			if got, want := re.MatchString(s), slices.Contains(c.Hits, i); got != want {
				t.Errorf("/%s/%s on %q: got %v, ECMAScript says %v (as %s)", c.Pattern, c.Flags, s, got, want, re)
			}
		}
	}
}

// needsBacktracking knows the two constructs of the cases that Go's engine, which takes linear time, does not have.
var needsBacktracking = regexp.MustCompile(`\(\?<?[=!]|\\[1-9k]`)

// knownToDiffer names what the engine does in its own way; doc.go says so.
func knownToDiffer(flags, subject string) bool {
	switch {
	case strings.Contains(flags, "i") && (subject == "\u212a" || subject == "\u017f"): // Kelvin sign and long s as k and s
		return true
	case subject == "😀" && !strings.Contains(flags, "u"): // one character, not two halves
		return true
	case subject == "\u2028" && strings.Contains(flags, "m"): // with flag m lines end with \n alone
		return true
	}
	return false
}

func TestAgreesWithMoment(t *testing.T) {
	t.Parallel()
	var file struct {
		Format []struct{ At, Zone, Format, Want string }
		Parse  []struct {
			Format, Text string
			Ms           int64
		}
	}
	readTestdata(t, "moment.json", &file)
	for _, c := range file.Format {
		at, err := time.Parse(time.RFC3339, c.At)
		if err != nil {
			t.Fatal(err)
		}
		zone, err := loadZone(strings.ToLower(c.Zone))
		if err != nil {
			t.Fatal(err)
		}
		if got := formatMoment(at.In(zone), splitFormat(c.Format)); got != c.Want {
			t.Errorf("%s in %s as %q: got %q, moment says %q", c.At, c.Zone, c.Format, got, c.Want)
		}
	}
	for _, c := range file.Parse {
		parts, err := splitTimeFormat(c.Format)
		if err != nil {
			t.Fatalf("%q: %v", c.Format, err)
		}
		got := int64(-1)
		if at, ok := parseTime(c.Text, parts); ok {
			got = at.Milliseconds()
		}
		if got != c.Ms {
			t.Errorf("%q as %q: got %d, moment says %d", c.Text, c.Format, got, c.Ms)
		}
	}
}
