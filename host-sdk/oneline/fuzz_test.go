package oneline_test

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/livecallrouting/livecall/host-sdk/oneline"
)

// FuzzClean holds that what comes out is one line of UTF-8 within the limit, and clean already.
func FuzzClean(f *testing.F) {
	f.Add("Dev\r\nOps \u202e\u200b\x00\xff  x", 8)
	f.Add("\u2028a\u00a0b\ufeff", 0)
	f.Add(strings.Repeat("😀 ", 50), 3)
	f.Fuzz(func(t *testing.T, text string, limit int) {
		got := oneline.Clean(text, limit)
		if !utf8.ValidString(got) || got != strings.TrimSpace(got) || limit > 0 && utf8.RuneCountInString(got) > limit {
			t.Fatalf("%q", got)
		}
		if again := oneline.Clean(got, limit); again != got {
			t.Fatalf("%q becomes %q when it is cleaned again", got, again)
		}
		for _, r := range got {
			if unicode.IsControl(r) || unicode.IsSpace(r) && r != ' ' {
				t.Fatalf("%q holds %U", got, r)
			}
		}
	})
}
