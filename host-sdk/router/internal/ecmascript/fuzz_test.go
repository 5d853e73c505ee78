package ecmascript

import (
	"testing"
	"unicode/utf8"
)

// FuzzCompile holds that any pattern is compiled within the limits or refused in few words, and
// that what is compiled can be matched.
func FuzzCompile(f *testing.F) {
	for _, seed := range []struct{ pattern, flags string }{
		{`^\+1[2-9]\d{9}$`, ""}, {`(?<year>\d{4})-\u{1F600}|[^]\cJ`, "u"}, {`\ud83d\ude00[\d-z]`, "i"}, {`(?=a)\1(?<!b)`, ""},
		{`((((a{1,9}){1,9}){1,9}){1,9})`, "gimsuy"}, {`[z-a]{,}\p{Lu}`, "u"}, {`a{1001}`, "y"}, {"\xff\x00[", "m"},
	} {
		f.Add(seed.pattern, seed.flags, "+12025550143 2026-😀")
	}
	f.Fuzz(func(t *testing.T, pattern, flags, text string) {
		p, err := Compile(pattern, flags, nil)
		if err != nil {
			if n := utf8.RuneCountInString(err.Error()); n > 300+12*MaxLength {
				t.Fatalf("a message of %d characters", n)
			}
			return
		}
		if p.size > maxProgram || p.Cost(text) < 0 {
			t.Fatalf("%d instructions", p.size)
		}
		if again, err := Compile(pattern, flags, nil); err != nil || again.String() != p.String() || again.Match(text) != p.Match(text) {
			t.Fatalf("two answers for /%s/%s", pattern, flags)
		}
	})
}
