package audio

import (
	"encoding/binary"
	"time"
)

// Byte rates that are believed. The poorest sound of telephones has 1,625 bytes a second (GSM
// 06.10), the richest that anybody records 192,000 samples of 32 bits on 8 channels. A file that
// claims less would last for months, and be served in a million slices.
const (
	minByteRate = 1000
	maxByteRate = 192_000 * 4 * 8
)

// wavDuration divides the length of the data chunk by the byte rate of the fmt chunk. false: no WAV
// file, or one whose rate is not believed.
func wavDuration(data []byte) (time.Duration, bool) {
	format, samples, ok := wavChunks(data)
	if !ok || len(format) < 16 {
		return 0, false
	}
	byteRate := binary.LittleEndian.Uint32(format[8:12])
	if byteRate < minByteRate || byteRate > maxByteRate {
		return 0, false
	}
	return time.Duration(float64(len(samples)) / float64(byteRate) * float64(time.Second)), true
}

// wavChunks finds the contents of the fmt chunk and of the data chunk behind it. A data chunk that
// claims more than the file holds (a stream whose length was not known when its header was written)
// counts as what is there. ok: both are there.
func wavChunks(data []byte) (format, samples []byte, ok bool) {
	if len(data) < 12 || string(data[:4]) != "RIFF" || string(data[8:12]) != "WAVE" {
		return nil, nil, false
	}
	for rest := data[12:]; len(rest) >= 8; {
		id, size := string(rest[:4]), uint64(binary.LittleEndian.Uint32(rest[4:8]))
		rest = rest[8:]
		body := rest[:min(size, uint64(len(rest)))]
		switch id {
		case "fmt ":
			format = body
		case "data":
			return format, body, format != nil
		}
		rest = rest[min(size+size%2, uint64(len(rest))):] // chunks are padded to even lengths
	}
	return nil, nil, false
}
