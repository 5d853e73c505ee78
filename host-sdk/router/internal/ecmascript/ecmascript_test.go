package ecmascript

import (
	"encoding/json"
	"errors"
	"os"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
	"testing"
)

// TestAgreesWithECMAScript compares with what the regular expressions of Node answer;
// router/testdata/make.mjs asks them.
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
	data, err := os.ReadFile("testdata/regex.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	for _, c := range file.Cases {
		re, err := Compile(c.Pattern, c.Flags, nil)
		var unsupported UnsupportedError
		switch {
		case c.Error && strings.Contains(c.Flags, "u"):
			// With flag u ECMAScript also refuses escapes that mean nothing, and single braces.
			continue
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
			if got, want := re.Match(s), slices.Contains(c.Hits, i); got != want {
				t.Errorf("/%s/%s on %q: got %v, ECMAScript says %v (as %s)", c.Pattern, c.Flags, s, got, want, re)
			}
		}
	}
}

// needsBacktracking knows the two constructs of the cases that Go's engine, which takes linear
// time, does not have.
var needsBacktracking = regexp.MustCompile(`\(\?<?[=!]|\\[1-9k]`)

// knownToDiffer names what the engine does in its own way; the package comment says so.
func knownToDiffer(flags, subject string) bool {
	switch {
	case strings.Contains(flags, "i") && (subject == "\u212a" || subject == "\u017f"):
		// Kelvin sign and long s as k and s.
		return true
	case subject == "😀" && !strings.Contains(flags, "u"): // one character, not two halves
		return true
	case subject == "\u2028" && strings.Contains(flags, "m"): // with flag m lines end with \n alone
		return true
	}
	return false
}

// TestTranslatedPatterns shows what is spelled or meant otherwise in ECMAScript than in Go.
func TestTranslatedPatterns(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		pattern, flags, text string
		want                 bool
	}{
		{`\u00e9\x41\cJ`, "", "éA\n", true},
		{`\u{1F600}`, "u", "😀", true},
		{`\ud83d\ude00`, "", "😀", true},
		{`a\/b\-c`, "", "a/b-c", true},
		{`(?<digits>\d+)(?<ñ>x)`, "", "1x", true},
		{`^\s+$`, "", "\u00a0\u2028\ufeff\v", true},
		{`\S`, "", "\u00a0\u3000", false},
		{`^[^\S]$`, "", "\u2003", true},
		{`^[\S]$`, "", "\u2003", false},
		{`\d`, "", "٣", false},
		{`\w`, "", "é", false},
		{`a$`, "", "a\n", false},
		{`a$`, "m", "a\nb", true},
		{`a.b`, "", "a\rb", false},
		{`a.b`, "", "a\u2028b", false},
		{`a.b`, "s", "a\u2028b", true},
		{`É`, "i", "é", true},
		{`abc`, "y", "xabc", false},
		{`abc`, "g", "xabc", true},
		{`[]`, "", "a", false},
		{`[^]`, "", "\n", true},
		{`[a-z&&[^b]]`, "", "&]", true},
		{`[[:alpha:]]`, "", ":]", true},
		{`\Qa\E`, "", "QaE", true},
		{`\A\z`, "", "Az", true},
		{`\p{Lu}`, "u", "É", true},
		{`\p{Script=Greek}`, "u", "α", true},
	} {
		re, err := Compile(tt.pattern, tt.flags, nil)
		if err != nil {
			t.Errorf("/%s/%s: %v", tt.pattern, tt.flags, err)
		} else if got := re.Match(tt.text); got != tt.want {
			t.Errorf("/%s/%s on %q: got %v (as %s)", tt.pattern, tt.flags, tt.text, got, re)
		}
	}
}

// TestPatternsTogetherAreBounded holds that many patterns, each within its limit, do not fill the
// memory, and that patterns which are refused use the budget up as well: reading them takes time.
func TestPatternsTogetherAreBounded(t *testing.T) {
	t.Parallel()
	for _, pattern := range []string{`^(a|b|c){1,500}$`, `(?:\p{L}|\p{N}|[^a-z]){1000}x`, `(?:abcdefghijklmnopqrstuvwxyz){1000}`, strings.Repeat("a|", 400) + "b"} {
		budget, patterns := &Budget{}, 0
		for ; patterns < MaxTogether; patterns++ {
			if _, err := Compile(pattern, "", budget); errors.Is(err, errSpent) {
				break
			}
		}
		if patterns < 20 || patterns > 2000 {
			t.Errorf("%.30s: the budget is used up by %d patterns", pattern, patterns)
		}
	}
	budget := &Budget{}
	for range 2000 {
		if _, err := Compile(`^\+1(202|303)\d{7}$`, "", budget); err != nil {
			t.Fatalf("2000 usual patterns do not fit: %v", err)
		}
	}
}

// TestHugeProgramsAreRefusedBeforeTheyAreMade compares the estimate with what Go makes.
func TestHugeProgramsAreRefusedBeforeTheyAreMade(t *testing.T) {
	t.Parallel()
	for _, pattern := range []string{`a`, `abc|d`, `(a|bc){2,50}`, `(?:a{0,30}b?){7}`, `[a-z]{9,}x*`, `(((a{3}){4}){5}){6}`, `\p{L}{100}`} {
		parsed, err := syntax.Parse(pattern, syntax.Perl)
		if err != nil {
			t.Fatal(err)
		}
		expected := instructions(parsed)
		program, err := syntax.Compile(parsed.Simplify())
		if err != nil {
			t.Fatal(err)
		}
		if made := len(program.Inst); 2*(expected+8) < made {
			t.Errorf("%s: %d instructions, far more than the %d expected", pattern, made, expected)
		}
	}
	if parsed, err := syntax.Parse(`(?:abcdefghijklmnopqrstuvwxyz){1000}`, syntax.Perl); err != nil || instructions(parsed) <= 2*maxProgram {
		t.Errorf("huge repetitions are not expected to be huge: %v", err)
	}
}
