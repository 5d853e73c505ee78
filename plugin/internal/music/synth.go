package music

import "math"

const (
	// SampleRate of telephone sound, in samples a second.
	SampleRate = 8000
	// Slices is the number of pieces.
	Slices = 4
	// SliceSeconds is the length of each.
	SliceSeconds = 15

	sliceSamples = SampleRate * SliceSeconds
	totalSamples = sliceSamples * Slices
	eighth       = totalSamples / (16 * 8)
)

// sine is one period in steps of 1/4096, scaled to 1<<14. All later steps use whole numbers.
var sine = func() (t [4096]int32) {
	for i := range t {
		t[i] = int32(math.Round(math.Sin(2*math.Pi*float64(i)/4096) * (1 << 14)))
	}
	return t
}()

// step returns by how much the phase of a note grows per sample; 32 bits are one period. midi is a
// MIDI note number; 69 is the A of 440 Hz.
func step(midi int) uint32 {
	hz := 440 * math.Exp2(float64(midi-69)/12)
	return uint32(math.Round(hz / SampleRate * (1 << 32)))
}

// voice is how a note sounds: loudness, how fast it fades, how strong its second and third partial
// are (of 16).
type voice struct {
	loud, fade     int64
	second, third  int32
	attack, length int
}

var (
	pluck = voice{loud: 3000, fade: 65518, second: 5, third: 2, attack: 60, length: 5 * SampleRate / 2}
	bell  = voice{loud: 4600, fade: 65526, second: 3, third: 1, attack: 300, length: 4 * SampleRate}
	bass  = voice{loud: 4600, fade: 65527, second: 6, third: 0, attack: 400, length: 4 * SampleRate}
)

// add sounds a note from a sample on. What rings beyond the end of its phrase is faded out there,
// and what rings beyond the tune's end would be cut: phrases leave room. Numbers are whole, so the
// same music comes out on every machine and has the same hash.
func add(mix []int32, at, midi int, v voice) {
	end := min(at+v.length, (at/sliceSamples+1)*sliceSamples)
	var phase uint32
	inc := step(midi)
	env := v.loud << 32
	for i := at; i < end; i++ {
		s := sine[phase>>20] + sine[(2*phase)>>20]*v.second/16 + sine[(3*phase)>>20]*v.third/16
		level := env >> 32
		if n := i - at; n < v.attack {
			level = level * int64(n) / int64(v.attack)
		}
		if left := end - i; left < 1600 { // the last fifth of a second: no click where slices meet
			level = level * int64(left) / 1600
		}
		mix[i] += int32(int64(s) * level >> 14)
		env = (env >> 16) * v.fade
		phase += inc
	}
}

// render returns the samples of the whole tune. It takes a moment of one core, once in a process.
func render() []int16 {
	mix := make([]int32, totalSamples)
	for bar, c := range chords {
		start := bar * 8 * eighth
		phraseEnd := bar%4 == 3
		add(mix, start, c.bass, bass)
		if !phraseEnd {
			add(mix, start+4*eighth, c.bass, bass)
		}
		for i, n := range rolled {
			if phraseEnd && i > 4 {
				break
			}
			add(mix, start+i*eighth, c.notes[n], pluck)
		}
	}
	for _, n := range melody {
		add(mix, (n[0]*8+n[1])*eighth, n[2], bell)
	}
	out := make([]int16, totalSamples)
	for i, s := range mix {
		out[i] = int16(max(-32000, min(32000, s)))
	}
	return out
}
