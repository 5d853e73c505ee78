package audio

import (
	"bytes"
	"encoding/binary"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestSliceCount(t *testing.T) {
	t.Parallel()
	for seconds, want := range map[float64]int{0: 1, 5: 1, 19.9: 1, 20: 1, 22.4: 1, 22.5: 2, 30: 2, 37.4: 2, 37.5: 3, 180: 12, 600: 40} {
		require.Equal(t, want, SliceCount(time.Duration(seconds*float64(time.Second))), "%v s", seconds)
	}
}

// sound is a WAV file whose every byte differs from its neighbours.
func sound(format, channels, bits, rate, bytesOfSound int, more ...byte) []byte {
	block := channels * bits / 8
	var b bytes.Buffer
	b.WriteString("RIFF\xff\xff\xff\xffWAVELIST\x03\x00\x00\x00abc\x00fmt ")
	_ = binary.Write(&b, binary.LittleEndian, uint32(16+len(more)))
	for _, v := range []any{uint16(format), uint16(channels), uint32(rate), uint32(rate * block), uint16(block), uint16(bits)} {
		_ = binary.Write(&b, binary.LittleEndian, v)
	}
	b.Write(more)
	b.WriteString("data")
	_ = binary.Write(&b, binary.LittleEndian, uint32(bytesOfSound))
	for i := range bytesOfSound {
		b.WriteByte(byte(i * 7))
	}
	return b.Bytes()
}

func TestWAVSlicesAreTheWholeFile(t *testing.T) {
	t.Parallel()
	for name, file := range map[string][]byte{
		"telephone":       sound(1, 1, 16, 8000, 31*16000),
		"stereo, 24 bits": sound(1, 2, 24, 44100, 31*6*1000),
		"mu-law":          sound(7, 1, 8, 8000, 31*8000+1, 0, 0),
		"odd pieces":      sound(1, 1, 8, 8000, 8001),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			whole, err := Inspect(file)
			require.NoError(t, err)
			format, samples, ok := wavChunks(file)
			require.True(t, ok)
			block := int(binary.LittleEndian.Uint16(format[12:14]))
			for _, n := range []int{1, 2, 3, 7} {
				var total time.Duration
				var joined []byte
				for i := 1; i <= n; i++ {
					piece, ok := Slice(file, i, n)
					require.True(t, ok)
					info, err := Inspect(piece)
					require.NoError(t, err)
					require.Equal(t, "audio/wav", info.ContentType)
					total += info.Duration
					f, s, ok := wavChunks(piece)
					require.True(t, ok)
					require.Equal(t, format, f, "the format is kept")
					require.Zero(t, len(s)%block, "cut between frames")
					require.InDelta(t, float64(len(samples))/float64(n), float64(len(s)), float64(block), "pieces are equally long")
					require.Equal(t, uint32(len(piece)-8), binary.LittleEndian.Uint32(piece[4:8]), "the header tells the length")
					require.Zero(t, len(piece)%2)
					joined = append(joined, s...)
				}
				require.Equal(t, samples, joined)
				require.InDelta(t, whole.Duration, total, float64(time.Duration(n)*time.Microsecond))
			}
		})
	}
}

// reservoir is a file of MPEG-1 layer III frames that reach back by the given bytes, over and over.
func reservoir(frames int, reach ...int) []byte {
	var b []byte
	for i := range frames {
		r := reach[i%len(reach)]
		f := append([]byte{0xff, 0xfb, 0x90, 0x00, byte(r >> 1), byte(r << 7)}, bytes.Repeat([]byte{byte(i)}, 417-6)...)
		f[5] = f[5]&0x80 | byte(i&0x3f)
		b = append(b, f...)
	}
	return b
}

func TestMP3SlicesAreTheWholeFile(t *testing.T) {
	t.Parallel()
	const frames = 2000 // 52 s
	sounds := reservoir(frames, 0, 100, 300, 511)
	described := append([]byte{0xff, 0xfb, 0x90, 0x00}, make([]byte, 413)...)
	copy(described[36:], "Xing")
	for name, c := range map[string]struct {
		file  []byte
		clean bool // every piece begins with a frame that needs none before it
	}{
		"reservoir":                 {sounds, true},
		"tags and a describing one": {append(append(id3(400), described...), append(bytes.Clone(sounds), append([]byte("TAG"), make([]byte, 125)...)...)...), true},
		"reservoir without a pause": {reservoir(frames, 100, 200), false},
		"rubbish between":           {append(append(bytes.Clone(sounds[:417*999]), make([]byte, 50)...), sounds[417*999:]...), true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, n := range []int{1, 2, 3, 7} {
				var total time.Duration
				var joined []byte
				for i := 1; i <= n; i++ {
					piece, ok := Slice(c.file, i, n)
					require.True(t, ok)
					info, err := Inspect(piece)
					require.NoError(t, err)
					require.Equal(t, "audio/mpeg", info.ContentType)
					require.InDelta(t, 52.24/float64(n), info.Duration.Seconds(), 2.1)
					total += info.Duration
					if c.clean {
						require.Zero(t, mainDataBegin(piece), "piece %d of %d", i, n)
					}
					joined = append(joined, piece...)
				}
				want := sounds
				if !c.clean {
					want = c.file
				}
				require.True(t, bytes.Equal(want, joined), "%d pieces", n)
				require.Equal(t, time.Duration(frames)*(1152*time.Second/44100), total)
			}
		})
	}
}

func TestWhatCannotBeCutIsNotCut(t *testing.T) {
	t.Parallel()
	three := reservoir(3, 0)
	for name, c := range map[string]struct {
		data []byte
		i, n int
	}{
		"piece 0": {three, 0, 2}, "no pieces": {three, 1, 0}, "beyond the last": {three, 3, 2}, "more than frames": {three, 4, 4},
		"text": {[]byte("just words"), 1, 2}, "nothing": {nil, 1, 1}, "wav without sound": {sound(1, 1, 16, 8000, 0), 1, 1},
		"wav of no frame size": {sound(1, 0, 16, 8000, 100), 1, 1}, "wav shorter than its pieces": {sound(1, 1, 16, 8000, 2), 1, 2},
	} {
		_, ok := Slice(c.data, c.i, c.n)
		require.False(t, ok, name)
	}
}

func FuzzSlice(f *testing.F) {
	f.Add(sound(1, 1, 16, 8000, 100), 1, 2)
	f.Add(reservoir(5, 0, 7), 2, 3)
	f.Fuzz(func(t *testing.T, data []byte, i, n int) {
		if n > 100 {
			return
		}
		if piece, ok := Slice(data, i, n); ok && len(piece) == 0 {
			t.Error("a piece of nothing")
		}
	})
}
