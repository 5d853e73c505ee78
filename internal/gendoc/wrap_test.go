package gendoc

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestWrap(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("ä", 49) + " " + strings.Repeat("b", 50)
	unbroken := strings.Repeat("c", 120)
	for name, tt := range map[string]struct{ in, want string }{
		"empty":                         {"", ""},
		"a line that fits":              {long + "\n\nnext\n", long + "\n\nnext\n"},
		"one character too much":        {long + "b c d\n", strings.Repeat("ä", 49) + "\n" + strings.Repeat("b", 51) + " c d\n"},
		"a word that cannot be broken":  {"a " + unbroken + " d", "a\n" + unbroken + "\nd"},
		"rows of tables, and headings":  {"| " + unbroken + " | b |\n# a " + unbroken, "| " + unbroken + " | b |\n# a " + unbroken},
		"indented and empty lines stay": {"  a\n\n\nb", "  a\n\n\nb"},
	} {
		if diff := cmp.Diff(tt.want, Wrap(tt.in)); diff != "" {
			t.Errorf("%s: -want +got:\n%s", name, diff)
		}
	}
}
