package moment

import (
	"testing"
	"time"
)

// FuzzFormat holds that any format writes any time, and that a time of day lies within a day.
func FuzzFormat(f *testing.F) {
	for _, format := range []string{"YYYY-MM-DD", "hh:mm a", "HH:mm:ss.SSS", "[at] LLLL", "Do dddd gggg-[W]ww E Q X x ZZ", "[", "kk", "\\h", "hhhhhh A"} {
		f.Add(format, "05:30 pm", int64(1767225600))
	}
	f.Add("HH", "99999999999999999999:-1", int64(-62135596800))
	f.Fuzz(func(t *testing.T, format, text string, unix int64) {
		if len(format) > 200 || len(text) > 200 {
			return // the rules' limit
		}
		parsed := Parse(format)
		if out := parsed.Write(time.Unix(unix%(1<<38), 0).UTC()); len(out) > 100*len(format) {
			t.Fatalf("%d bytes from a format of %d", len(out), len(format))
		}
		if parsed.CheckTimeOfDay() != nil {
			return
		}
		if at, ok := parsed.ParseTimeOfDay(text); ok && (at < 0 || at >= 24*time.Hour) {
			t.Fatalf("%q as %q is %v", text, format, at)
		}
	})
}
