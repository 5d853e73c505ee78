package audio

import (
	"encoding/binary"
	"time"
)

// wavDuration divides the length of the data chunk by the byte rate of the fmt chunk. A data chunk that claims more than
// the file holds (a stream whose length was not known when its header was written) counts as what is there.
func wavDuration(data []byte) (time.Duration, bool) {
	if len(data) < 12 || string(data[:4]) != "RIFF" || string(data[8:12]) != "WAVE" {
		return 0, false
	}
	var byteRate uint32
	for rest := data[12:]; len(rest) >= 8; {
		id, size := string(rest[:4]), uint64(binary.LittleEndian.Uint32(rest[4:8]))
		rest = rest[8:]
		body := rest[:min(size, uint64(len(rest)))]
		switch id {
		case "fmt ":
			if len(body) < 16 {
				return 0, false
			}
			byteRate = binary.LittleEndian.Uint32(body[8:12])
		case "data":
			if byteRate == 0 {
				return 0, false
			}
			seconds := float64(len(body)) / float64(byteRate)
			return time.Duration(seconds * float64(time.Second)), true
		}
		rest = rest[min(size+size%2, uint64(len(rest))):] // chunks are padded to even lengths
	}
	return 0, false
}
