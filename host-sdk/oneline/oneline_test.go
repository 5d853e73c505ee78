package oneline

import (
	"strings"
	"testing"
)

func TestCleanLeavesOneLineOfWhatCanBeSeen(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"Customer Support":             "Customer Support",
		"Dev\nOps\r\n":                 "Dev Ops",
		" \t Dev \t Ops ":              "Dev Ops",
		"Dev\u2028Ops\u2029":           "Dev Ops",
		"Dev\u0085Ops":                 "Dev Ops",
		"a\u202eb\u202ac\u202cd":       "abcd",
		"a\u2066b\u2069c":              "abc",
		"a\u200bb\u200ec\u200fd\ufeff": "abcd",
		"a\x00b\x1bc\x7fd":             "abcd",
		"a\xffb":                       "ab",
		"Zürich ☎ 東京":                  "Zürich ☎ 東京",
		"":                             "",
		"\u202e\n":                     "",
	} {
		got := Clean(text, 0)
		if got != want {
			t.Errorf("Clean(%q) = %q, want %q", text, got, want)
		}
		if again := Clean(got, 0); again != got {
			t.Errorf("cleaning %q again gives %q", got, again)
		}
	}
}

func TestCleanCutsAtCharactersAndNotAfterASpace(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text  string
		limit int
		want  string
	}{
		{"éééé", 3, "ééé"}, {"ab cd", 3, "ab"}, {"ab cd", 4, "ab c"}, {"ab", 2, "ab"}, {strings.Repeat("x", 500), MaxName, strings.Repeat("x", MaxName)},
	} {
		if got := Clean(c.text, c.limit); got != c.want {
			t.Errorf("Clean(%q, %d) = %q, want %q", c.text, c.limit, got, c.want)
		}
	}
}
