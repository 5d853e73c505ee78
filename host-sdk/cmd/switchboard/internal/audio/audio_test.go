package audio

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"testing"
	"time"
)

func wav(byteRate uint32, dataBytes int, claimed uint32, extra ...[]byte) []byte {
	var b bytes.Buffer
	b.WriteString("RIFF\x00\x00\x00\x00WAVE")
	for _, e := range extra {
		b.Write(e)
	}
	b.WriteString("fmt ")
	_ = binary.Write(&b, binary.LittleEndian, uint32(16))
	for _, v := range []any{uint16(1), uint16(1), uint32(8000), byteRate, uint16(2), uint16(16)} {
		_ = binary.Write(&b, binary.LittleEndian, v)
	}
	b.WriteString("data")
	_ = binary.Write(&b, binary.LittleEndian, claimed)
	b.Write(make([]byte, dataBytes))
	return b.Bytes()
}

// mp3 repeats a frame with the given header; the length is computed here from the standard's
// formula by hand for each case.
func mp3(header [4]byte, length, frames int, lead, tail []byte) []byte {
	frame := append(header[:], bytes.Repeat([]byte{0x55}, length-4)...)
	return append(append(bytes.Clone(lead), bytes.Repeat(frame, frames)...), tail...)
}

func id3(size int) []byte {
	tag := []byte{'I', 'D', '3', 3, 0, 0, byte(size >> 21 & 0x7f), byte(size >> 14 & 0x7f), byte(size >> 7 & 0x7f), byte(size & 0x7f)}
	// What looks like a frame inside the tag, a cover picture for instance, must not be counted.
	return append(tag, bytes.Repeat([]byte{0xff, 0xfb, 0x90, 0x00}, size/4)...)
}

func TestInspect(t *testing.T) {
	t.Parallel()
	// MPEG-1 layer III, 128 kbit/s, 44100 Hz: 417 bytes, 1152 samples.
	v1l3 := [4]byte{0xff, 0xfb, 0x90, 0x00}
	// MPEG-2 layer III, 32 kbit/s, 22050 Hz: 104 bytes, 576 samples.
	v2l3 := [4]byte{0xff, 0xf3, 0x40, 0xc0}
	junk := bytes.Repeat([]byte{0}, 8)
	for _, c := range []struct {
		name string
		data []byte
		kind string
		want time.Duration
		err  error
	}{
		{"wav", wav(16000, 24000, 24000), "audio/wav", 1500 * time.Millisecond, nil},
		{"wav of unknown length", wav(16000, 16000, math.MaxUint32), "audio/wav", time.Second, nil},
		{"wav, a chunk of odd length first", wav(16000, 16000, 16000, []byte("LIST\x03\x00\x00\x00abc\x00")), "audio/wav", time.Second, nil},
		{"wav without sound", wav(16000, 0, 0), "", 0, ErrDamaged},
		{"wav of rate 0", wav(0, 100, 100), "", 0, ErrDamaged},
		{"wav of a rate at which it would last for months", wav(1, 100_000, 100_000), "", 0, ErrDamaged},
		{"wav of a rate that nobody records", wav(math.MaxUint32, 100_000, 100_000), "", 0, ErrDamaged},
		{"wav, too short to be heard", wav(16000, 160, 160), "", 0, ErrDamaged},
		{"wav of poor quality", wav(1625, 3250, 3250), "audio/wav", 2 * time.Second, nil},
		{"wav cut off", wav(16000, 0, 0)[:30], "", 0, ErrDamaged},
		{"mp3", mp3(v1l3, 417, 100, nil, nil), "audio/mpeg", 100 * 1152 * time.Second / 44100, nil},
		{"mp3 for speech", mp3(v2l3, 104, 100, nil, nil), "audio/mpeg", 100 * 576 * time.Second / 22050, nil},
		{"mp3 with tag and trailer", mp3(v1l3, 417, 50, id3(4000), append([]byte("TAG"), make([]byte, 125)...)), "audio/mpeg", 50 * 1152 * time.Second / 44100, nil},
		{"mp3, cut off in the last frame", mp3(v1l3, 417, 11, nil, nil)[:11*417-100], "audio/mpeg", 11 * 1152 * time.Second / 44100, nil},
		{"mp3, rubbish between", append(mp3(v1l3, 417, 5, nil, junk), mp3(v1l3, 417, 5, nil, nil)...), "audio/mpeg", 10 * 1152 * time.Second / 44100, nil},
		{"tag alone", id3(40), "", 0, ErrDamaged},
		{"empty", nil, "", 0, ErrEmpty},
		{"text", []byte("just words"), "", 0, ErrType},
		{"page", []byte("<html><body>hello</body></html>"), "", 0, ErrType},
		{"ogg", append([]byte("OggS\x00\x02"), make([]byte, 60)...), "", 0, ErrType},
		{"too large", make([]byte, MaxBytes+1), "", 0, ErrTooLarge},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			info, err := Inspect(c.data)
			if !errors.Is(err, c.err) {
				t.Fatalf("error %v, want %v", err, c.err)
			}
			if info.ContentType != c.kind {
				t.Errorf("type %q, want %q", info.ContentType, c.kind)
			}
			if d := info.Duration - c.want; d.Abs() > time.Millisecond {
				t.Errorf("duration %v, want %v", info.Duration, c.want)
			}
		})
	}
}

func FuzzInspect(f *testing.F) {
	f.Add(wav(16000, 100, 100))
	f.Add(mp3([4]byte{0xff, 0xfb, 0x90, 0x00}, 417, 2, id3(40), nil))
	f.Add([]byte("RIFF\xff\xff\xff\xffWAVEdata\xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if info, err := Inspect(data); err == nil && info.Duration <= 0 {
			t.Errorf("accepted, but lasts %v", info.Duration)
		}
	})
}
