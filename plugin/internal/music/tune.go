package music

// The tune has sixteen bars of four beats at 64 beats a minute: one minute. Four bars are one
// slice. A chord is rolled in eighths under a slow melody; the last beats of each fourth bar are
// left to ring out, for there the slices meet.

// chord is what one bar stands on: bass, then the notes it is rolled with, as MIDI note numbers.
type chord struct {
	bass  int
	notes [4]int
}

var (
	cMajor  = chord{48, [4]int{60, 64, 67, 71}} // C major seven
	aMinor  = chord{45, [4]int{60, 64, 67, 69}} // A minor seven
	fMajor  = chord{41, [4]int{60, 64, 65, 69}} // F major seven
	gSus    = chord{43, [4]int{60, 62, 67, 69}} // G with fourth and ninth
	dMinor  = chord{50, [4]int{60, 62, 65, 69}} // D minor seven
	eMinor  = chord{40, [4]int{59, 62, 64, 67}} // E minor seven
	cSecond = chord{48, [4]int{60, 62, 64, 67}} // C with ninth
)

var chords = [16]chord{
	cMajor, aMinor, fMajor, gSus,
	cMajor, eMinor, fMajor, gSus,
	aMinor, dMinor, gSus, cMajor,
	fMajor, eMinor, dMinor, cSecond,
}

// rolled is the order in which a bar's eighths take the chord's notes.
var rolled = [8]int{0, 1, 2, 3, 2, 1, 2, 1}

// melody notes: bar (from 0), eighth in the bar, MIDI note.
var melody = [...][3]int{
	{0, 0, 79}, {0, 4, 76}, {1, 0, 76}, {1, 3, 74}, {1, 4, 72}, {2, 0, 69}, {2, 4, 72}, {3, 0, 74},
	{4, 0, 79}, {4, 4, 83}, {5, 0, 79}, {5, 4, 76}, {6, 0, 77}, {6, 3, 76}, {6, 4, 72}, {7, 0, 74},
	{8, 0, 76}, {8, 4, 72}, {9, 0, 77}, {9, 4, 74}, {10, 0, 74}, {10, 3, 72}, {10, 4, 71}, {11, 0, 72},
	{12, 0, 81}, {12, 4, 79}, {13, 0, 76}, {13, 4, 79}, {14, 0, 77}, {14, 4, 74}, {15, 0, 72},
}
