// Package audio holds the sound of telephone calls: samples, WAV files, and how long the sound
// files play that a call is given.
//
//	sound.go   Sound, to and from WAV files
//	length.go  how long a file plays; tones and silence
package audio

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"
)

// Rate is how many samples a second of Sound has.
const Rate = 8000

// Sound is sound as a telephone carries it: Rate samples a second, one channel, 16 bit.
type Sound []int16

// Length is how long it plays.
func (s Sound) Length() time.Duration { return time.Duration(len(s)) * time.Second / Rate }

// WAV is the sound as a file of 128 kbit/s, as Twilio's recordings are.
func (s Sound) WAV() []byte {
	size := uint32(2 * len(s)) //nolint:gosec // sounds are minutes long: far below 4 GiB
	b := make([]byte, 0, 44+len(s)*2)
	b = append(b, "RIFF"...)
	b = binary.LittleEndian.AppendUint32(b, 36+size)
	b = append(b, "WAVEfmt "...)
	b = binary.LittleEndian.AppendUint32(b, 16)
	for _, v := range []uint16{1, 1} { // PCM, channels
		b = binary.LittleEndian.AppendUint16(b, v)
	}
	b = binary.LittleEndian.AppendUint32(b, Rate)
	b = binary.LittleEndian.AppendUint32(b, Rate*2)
	for _, v := range []uint16{2, 16} { // bytes and bits of a sample
		b = binary.LittleEndian.AppendUint16(b, v)
	}
	b = append(b, "data"...)
	b = binary.LittleEndian.AppendUint32(b, size)
	for _, v := range s {
		b = binary.LittleEndian.AppendUint16(b, uint16(v)) //nolint:gosec // the bits, not the value
	}
	return b
}

// Part returns what is heard from one time to another within s, filled with silence where s has
// ended.
func (s Sound) Part(from, until time.Duration) Sound {
	a, b := Samples(from), Samples(until)
	out := make(Sound, max(b-a, 0))
	if a >= 0 && a < len(s) {
		copy(out, s[a:])
	}
	return out
}

// Samples returns how many samples a duration has.
func Samples(d time.Duration) int { return int(d * Rate / time.Second) }

// ParseWAV reads a WAV file of 16-bit PCM, of any rate from 4 to 192 kHz and up to 8 channels.
// Where the file says more data than there are (as programs do that write to a pipe), it takes what
// is there.
func ParseWAV(b []byte) (Sound, error) {
	if len(b) < 12 || string(b[:4]) != "RIFF" || string(b[8:12]) != "WAVE" {
		return nil, errors.New("the sound is no WAV file")
	}
	channels, rate := 0, 0
	for at := 12; at+8 <= len(b); {
		id, size := string(b[at:at+4]), int(binary.LittleEndian.Uint32(b[at+4:]))
		at += 8
		size = min(size, len(b)-at)
		switch id {
		// 16 bytes of format: kind, channels, samples a second, bytes a second, bytes a frame, bits
		// a sample.
		case "fmt ":
			if size < 16 {
				return nil, errors.New("the WAV file's format is cut off")
			}
			kind, bits := binary.LittleEndian.Uint16(b[at:]), binary.LittleEndian.Uint16(b[at+14:])
			channels, rate = int(binary.LittleEndian.Uint16(b[at+2:])), int(binary.LittleEndian.Uint32(b[at+4:]))
			if kind != 1 || bits != 16 || channels < 1 || channels > 8 || rate < 4000 || rate > 192000 {
				return nil, fmt.Errorf("WAV format %d with %d bits, %d channels, %d Hz: want 16-bit PCM", kind, bits, channels, rate)
			}
		case "data":
			if rate == 0 {
				return nil, errors.New("the WAV file has data before its format")
			}
			return resample(b[at:at+size], channels, rate), nil
		}
		// Chunks begin at even places.
		at += size + size%2
	}
	return nil, errors.New("the WAV file has no data")
}

// resample mixes the channels and takes, for each sample wanted, the mean of those given in its
// time, or the nearest.
func resample(data []byte, channels, rate int) Sound {
	frames := len(data) / (2 * channels)
	out := make(Sound, frames*Rate/rate)
	for i := range out {
		from := i * rate / Rate
		until := min(max((i+1)*rate/Rate, from+1), frames)
		sum, n := 0, 0
		for k := from * channels; k < until*channels; k++ {
			sum += int(int16(binary.LittleEndian.Uint16(data[2*k:]))) //nolint:gosec // the bits, not the value
			n++
		}
		if n > 0 {
			out[i] = int16(sum / n) //nolint:gosec // a mean of int16
		}
	}
	return out
}
