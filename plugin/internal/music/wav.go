package music

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"sync"
)

// File is one slice as a WAV file: 8 kHz, 16 bit, mono, which is what telephone lines carry.
type File struct {
	Data []byte
	Hash string // hex SHA-256 of Data
}

// ContentType is the media type of every slice.
const ContentType = "audio/wav"

var files = sync.OnceValue(func() [Slices]File {
	samples := render()
	var out [Slices]File
	for i := range out {
		data := wav(samples[i*sliceSamples : (i+1)*sliceSamples])
		sum := sha256.Sum256(data)
		out[i] = File{Data: data, Hash: hex.EncodeToString(sum[:])}
	}
	return out
})

// Slice returns slice n of the tune; n is taken modulo [Slices]. The first call makes the music,
// which takes a moment; the slices are kept. Do not change the data.
func Slice(n int) File {
	return files()[((n%Slices)+Slices)%Slices]
}

// wav writes the 44 bytes of header that a PCM file needs, and the samples.
func wav(samples []int16) []byte {
	size := uint32(2 * len(samples))
	var b bytes.Buffer
	b.Grow(int(size) + 44)
	b.WriteString("RIFF")
	// A bytes.Buffer does not fail.
	le := func(v any) { _ = binary.Write(&b, binary.LittleEndian, v) }
	le(size + 36)
	b.WriteString("WAVEfmt ")
	le(uint32(16))
	le(uint16(1)) // PCM
	le(uint16(1)) // mono
	le(uint32(SampleRate))
	le(uint32(2 * SampleRate))
	le(uint16(2))
	le(uint16(16))
	b.WriteString("data")
	le(size)
	le(samples)
	return b.Bytes()
}
