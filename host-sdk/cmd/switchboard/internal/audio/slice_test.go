package audio

import (
	"bytes"
	"encoding/binary"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestSliceCount(t *testing.T) {
	t.Parallel()
	for seconds, want := range map[float64]int{0: 1, 5: 1, 19.9: 1, 20: 1, 22.4: 1, 22.5: 2, 30: 2, 37.4: 2, 37.5: 3, 180: 12, 600: 40, 16e6: maxSlices} {
		if diff := cmp.Diff(want, SliceCount(time.Duration(seconds*float64(time.Second)))); diff != "" {
			t.Fatalf("%v s (-want +got):\n%s", seconds, diff)
		}
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
			if err != nil {
				t.Fatal(err)
			}
			format, samples, ok := wavChunks(file)
			if !ok {
				t.Fatal("no WAV chunks are found")
			}
			block := int(binary.LittleEndian.Uint16(format[12:14]))
			for _, n := range []int{1, 2, 3, 7} {
				var total time.Duration
				var joined []byte
				for i := 1; i <= n; i++ {
					piece, ok := Slice(file, i, n)
					if !ok {
						t.Fatalf("piece %d of %d cannot be cut", i, n)
					}
					info, err := Inspect(piece)
					if err != nil {
						t.Fatal(err)
					}
					if info.ContentType != "audio/wav" {
						t.Fatalf("info.ContentType = %q, want %q", info.ContentType, "audio/wav")
					}
					total += info.Duration
					f, s, ok := wavChunks(piece)
					if !ok {
						t.Fatal("no WAV chunks are found")
					}
					if diff := cmp.Diff(format, f); diff != "" {
						t.Fatalf("the format is kept (-want +got):\n%s", diff)
					}
					if got := len(s) % block; got != 0 {
						t.Fatalf("cut between frames = %v, want 0", got)
					}
					if off := len(samples)/n - len(s); off < -block || off > block {
						t.Fatalf("piece %d of %d has %d bytes of sound, of %d in all: pieces are equally long", i, n, len(s), len(samples))
					}
					if diff := cmp.Diff(uint32(len(piece)-8), binary.LittleEndian.Uint32(piece[4:8])); diff != "" {
						t.Fatalf("the header tells the length (-want +got):\n%s", diff)
					}
					if got := len(piece) % 2; got != 0 {
						t.Fatalf("len(piece)%%2 = %v, want 0", got)
					}
					joined = append(joined, s...)
				}
				if !bytes.Equal(samples, joined) { // cmp.Diff would take seconds for so many bytes
					t.Fatalf("the %d pieces together differ from the file: %d bytes of sound, want %d", n, len(joined), len(samples))
				}
				if off := (whole.Duration - total).Abs(); off > time.Duration(n)*time.Microsecond {
					t.Fatalf("%d pieces last %v together, the file %v", n, total, whole.Duration)
				}
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
					if !ok {
						t.Fatalf("piece %d of %d cannot be cut", i, n)
					}
					info, err := Inspect(piece)
					if err != nil {
						t.Fatal(err)
					}
					if info.ContentType != "audio/mpeg" {
						t.Fatalf("info.ContentType = %q, want %q", info.ContentType, "audio/mpeg")
					}
					if off := 52.24/float64(n) - info.Duration.Seconds(); off < -2.1 || off > 2.1 {
						t.Fatalf("piece %d of %d lasts %v", i, n, info.Duration)
					}
					total += info.Duration
					if c.clean {
						if got := mainDataBegin(piece); got != 0 {
							t.Fatalf("piece %d of %d = %v, want 0", i, n, got)
						}
					}
					joined = append(joined, piece...)
				}
				want := sounds
				if !c.clean {
					want = c.file
				}
				if !bytes.Equal(want, joined) {
					t.Fatalf("%d pieces", n)
				}
				if diff := cmp.Diff(time.Duration(frames)*(1152*time.Second/44100), total); diff != "" {
					t.Fatalf("total (-want +got):\n%s", diff)
				}
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
		if ok {
			t.Fatalf("%v", name)
		}
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
