package switchboardfile

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
)

// SharedHash is the hex SHA-256 of the file without its section settings: of what several hosts have in
// common, as settings are each host's own.
func (f *File) SharedHash() string {
	hash := sha256.New()
	own := false
	for line := range bytes.Lines(f.source) {
		// A section ends where the next one begins, in the first column.
		if first := line[0]; first != ' ' && first != '#' && first != '\n' && first != '\r' {
			own = bytes.HasPrefix(line, []byte("settings:"))
		}
		if !own {
			hash.Write(line)
		}
	}
	return hex.EncodeToString(hash.Sum(nil))
}
