package audio

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// loud is a sound of one value, easy to find again.
func loud(d time.Duration, v int16) Sound {
	s := make(Sound, Samples(d))
	for i := range s {
		s[i] = v
	}
	return s
}

func TestWAVRoundTrip(t *testing.T) {
	want := Sound{0, 1, -1, 32767, -32768, 12}
	got, err := ParseWAV(want.WAV())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if wavLength(loud(3*time.Second, 1).WAV()) != 3*time.Second {
		t.Error("the file's length is not the sound's")
	}
}

func TestParseWAV(t *testing.T) {
	// 16 kHz stereo: two channels are mixed, two samples become one.
	stereo := loud(time.Second, 0).WAV()[:44]
	binary.LittleEndian.PutUint16(stereo[22:], 2)
	binary.LittleEndian.PutUint32(stereo[24:], 16000)
	binary.LittleEndian.PutUint32(stereo[40:], 0xfffffff0) // as written to a pipe
	for _, v := range []int16{100, 300, 200, 400, -5, -5, -5, -5} {
		stereo = binary.LittleEndian.AppendUint16(stereo, uint16(v)) //nolint:gosec // the bits
	}
	got, err := ParseWAV(stereo)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(Sound{250, -5}, got); diff != "" {
		t.Error(diff)
	}
	eightBit := append([]byte{}, stereo...)
	binary.LittleEndian.PutUint16(eightBit[34:], 8)
	noRate := append([]byte{}, stereo...)
	binary.LittleEndian.PutUint32(noRate[24:], 0)
	for name, bad := range map[string][]byte{
		"empty": nil, "text": []byte("hello, this is not sound at all"), "cut off": stereo[:30], "no data": stereo[:36],
		"8 bit": eightBit, "no rate": noRate, "data first": append([]byte("RIFF....WAVEdata\x02\x00\x00\x00"), 1, 2),
	} {
		if s, err := ParseWAV(bad); err == nil {
			t.Errorf("%s: taken, %d samples", name, len(s))
		}
	}
}

func TestResampleUp(t *testing.T) {
	data := []byte{1, 0, 2, 0, 3, 0}
	if diff := cmp.Diff(Sound{1, 1, 2, 2, 3, 3}, resample(data, 1, 4000)); diff != "" {
		t.Error(diff)
	}
}
