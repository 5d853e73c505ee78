package audio

import (
	"bytes"
	"encoding/binary"
	"math"
	"time"
)

// Playable reports whether Twilio plays files of a MIME type. Source: Twilio docs,
// voice/twiml/play, supported audio file types.
func Playable(kind string) bool {
	switch kind {
	case "audio/mpeg", "audio/mp3", "audio/wav", "audio/wave", "audio/x-wav", "audio/aiff", "audio/x-aifc", "audio/x-aiff", "audio/x-gsm", "audio/gsm", "audio/ulaw", "audio/basic":
		return true
	}
	return false
}

// Length returns how long a sound file of a MIME type plays; 0 if its format does not say.
func Length(body []byte, kind string) time.Duration {
	switch kind {
	case "audio/wav", "audio/wave", "audio/x-wav":
		return wavLength(body)
	case "audio/mpeg", "audio/mp3":
		return mp3Length(body)
	case "audio/ulaw", "audio/basic":
		return time.Duration(len(body)) * time.Second / 8000 // 8 bits a sample at 8 kHz
	case "audio/gsm", "audio/x-gsm":
		return time.Duration(len(body)) * time.Second / 1650 // 33 bytes each 20 ms
	}
	return 0
}

// wavLength reads the chunks of a RIFF file until the data: their size and the bytes a second give
// the time.
func wavLength(b []byte) time.Duration {
	if len(b) < 12 || string(b[:4]) != "RIFF" || string(b[8:12]) != "WAVE" {
		return 0
	}
	var rate uint32
	for at := 12; at+8 <= len(b); {
		id, size := string(b[at:at+4]), int(binary.LittleEndian.Uint32(b[at+4:]))
		at += 8
		switch {
		case id == "fmt " && at+12 <= len(b):
			rate = binary.LittleEndian.Uint32(b[at+8:]) // bytes a second
		case id == "data" && rate > 0:
			size = min(size, len(b)-at)
			return time.Duration(float64(size) / float64(rate) * float64(time.Second))
		}
		at += size + size%2
	}
	return 0
}

// mp3Length adds up the frames of MPEG audio layer III.
func mp3Length(b []byte) time.Duration {
	bitrates := map[bool][]int{ // by MPEG-1 or not, in kbit/s
		true:  {0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 0},
		false: {0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160, 0},
	}
	// A tag before the sound: its size has seven bits a byte.
	if len(b) > 10 && string(b[:3]) == "ID3" {
		size := int(b[6]&0x7f)<<21 | int(b[7]&0x7f)<<14 | int(b[8]&0x7f)<<7 | int(b[9]&0x7f)
		b = b[min(len(b), size+10):]
	}
	var length time.Duration
	for at := 0; at+4 <= len(b); {
		h := binary.BigEndian.Uint32(b[at:])
		version, layer := h>>19&3, h>>17&3 // 3: MPEG-1, 2: MPEG-2, 0: MPEG-2.5; layer 1: III
		rates := map[uint32][]int{3: {44100, 48000, 32000, 0}, 2: {22050, 24000, 16000, 0}, 0: {11025, 12000, 8000, 0}}[version]
		// No frame begins here: look at the next byte, as players do.
		if h>>21 != 0x7ff || layer != 1 || rates == nil {
			at++
			continue
		}
		rate, kbit := rates[h>>10&3], bitrates[version == 3][h>>12&15]
		if rate == 0 || kbit == 0 {
			at++
			continue
		}
		samples := 576
		if version == 3 {
			samples = 1152
		}
		length += time.Duration(samples) * time.Second / time.Duration(rate)
		at += samples/8*kbit*1000/rate + int(h>>9&1)
	}
	return length
}

// Tone returns a soft tone of a length.
func Tone(d time.Duration) Sound {
	out := make(Sound, Samples(d))
	for i := range out {
		out[i] = int16(2000 * math.Sin(2*math.Pi*220*float64(i)/Rate))
	}
	return out
}

// SilentMP3 returns silence of a length: MPEG-2 layer III, 16 kHz, 32 kbit/s, mono, as Twilio's
// .mp3 recordings are.
func SilentMP3(d time.Duration) []byte {
	const frameLength, frameBytes = 36 * time.Millisecond, 144
	frame := make([]byte, frameBytes)
	copy(frame, []byte{0xff, 0xf3, 0x48, 0xc4})
	return bytes.Repeat(frame, int((d+frameLength-1)/frameLength))
}
