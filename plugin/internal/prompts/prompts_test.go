package prompts

import (
	"regexp"
	"sort"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var place = regexp.MustCompile(`\{[a-z]+\}`)

func TestEveryLanguageSaysEverything(t *testing.T) {
	t.Parallel()
	for file, m := range texts {
		for k, v := range texts["en"] {
			got, ok := m[k]
			if !ok || strings.TrimSpace(got) == "" {
				t.Errorf("%s: %s is missing", file, k)
				continue
			}
			want, have := place.FindAllString(v, -1), place.FindAllString(got, -1)
			sort.Strings(want)
			sort.Strings(have)
			if diff := cmp.Diff(want, have); diff != "" {
				t.Errorf("%s: %s has other places: %s", file, k, diff)
			}
		}
		for k := range m {
			if _, ok := texts["en"][k]; !ok {
				t.Errorf("%s: %s is unknown", file, k)
			}
		}
	}
	used := map[string]bool{}
	for _, l := range Languages() {
		used[l.texts] = true
		if texts[l.texts] == nil {
			t.Errorf("%s: no texts %q", l.Tag, l.texts)
		}
		if !strings.HasPrefix(l.Voice, "Polly.") || !strings.HasSuffix(l.Voice, "-Neural") {
			t.Errorf("%s: voice %q is not neural", l.Tag, l.Voice)
		}
	}
	for file := range texts {
		if !used[file] {
			t.Errorf("texts %s: no language speaks them", file)
		}
	}
}

// invented texts: a test that quotes the real ones would fail whenever they are reworded.
var invented = map[string]string{
	"press": "{digit} is {team}.", "ask": "{team} from {number}.", "ask_withheld": "{team} from nobody.", "ask_called": "Came to {called}.",
	"caller_left": "{number} left.", "plus": "plus", "a_team": "a team",
}

func TestFill(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		key  Key
		args Args
		want string
	}{
		{"press", Args{Digit: 1, Team: "Customer Support"}, "1 is Customer Support."},
		{"press", Args{Digit: 2, Team: "  Dev\nOps {digit} "}, "2 is Dev Ops {digit}."},
		{"press", Args{Digit: 3, Team: strings.Repeat("é", 200)}, "3 is " + strings.Repeat("é", MaxTeamRunes) + "."},
		{"ask", Args{Team: "DevOps", Number: "+12025550143"}, "DevOps from plus 1, 2 0 2, 5 5 5, 0 1 4 3."},
		{"ask", Args{Called: "+12025550100"}, "a team from nobody. Came to plus 1, 2 0 2, 5 5 5, 0 1 0 0."},
		{"caller_left", Args{}, " left."}, // no other text for a withheld number
		{KeyWelcome, Args{}, ""},
		{"nonsense", Args{}, ""},
	} {
		if got := fill(invented, tt.key, tt.args); got != tt.want {
			t.Errorf("%s:\n got %q\nwant %q", tt.key, got, tt.want)
		}
	}
}

func TestTextSpeaksTheLanguageOfTheTag(t *testing.T) {
	t.Parallel()
	for tag, file := range map[string]string{"de-DE": "de", "fr-CA": "fr", "en-GB": "en", "xx-YY": "en"} {
		if got, want := Text(tag, "goodbye", Args{}), texts[file]["goodbye"]; got != want {
			t.Errorf("%s: %q, want %q", tag, got, want)
		}
	}
}

func TestNoPlaceIsLeftOpen(t *testing.T) {
	t.Parallel()
	for _, l := range Languages() {
		for k := range texts["en"] {
			for _, a := range []Args{{}, {Digit: 1, Team: "T", Number: "+12025550143", Called: "+442079460000"}} {
				if got := Text(l.Tag, Key(k), a); place.MatchString(got) {
					t.Errorf("%s %s: %q", l.Tag, k, got)
				}
			}
		}
	}
}

func TestPT09SpokenNumbers(t *testing.T) {
	t.Parallel()
	for number, want := range map[string]string{
		"+12025550143":  "plus 1, 2 0 2, 5 5 5, 0 1 4 3",
		"+442079460000": "plus 4 4 2, 0 7 9, 4 6 0, 0 0 0",
		"+4930123456":   "plus 4 9 3, 0 1 2, 3 4 5 6",
		"anonymous":     "anonymous",
		"":              "",
		"+":             "+",
	} {
		if got := SpokenNumber("plus", number); got != want {
			t.Errorf("%q: %q, want %q", number, got, want)
		}
	}
}
