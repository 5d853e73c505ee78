package callflow

import "testing"

// TestAStateIsWrittenInTheFormatThatIsAskedFor, or in the nearest that this version writes.
func TestAStateIsWrittenInTheFormatThatIsAskedFor(t *testing.T) {
	t.Parallel()
	before := newCall(t, Defaults()).holding().state
	for _, tc := range [][2]int{{0, Format}, {1, oldestWritten}, {oldestWritten, oldestWritten}, {Format, Format}, {Format + 1, Format}} {
		asked, want := tc[0], tc[1]
		data, format, err := Write(before, asked)
		if err != nil || format != want {
			t.Errorf("asked for %d: format %d, %v; want %d", asked, format, err, want)
		}
		again, err := Read(data, format)
		again.Format = before.Format
		if err != nil || Changed(before, again) {
			t.Errorf("asked for %d: what is read is not what was written (%v)", asked, err)
		}
	}
}
