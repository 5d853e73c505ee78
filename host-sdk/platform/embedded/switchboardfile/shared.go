package switchboardfile

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"maps"
)

// SharedHash is the hex SHA-256 of the file without its section settings: of what several hosts
// have in common, as settings are each host's own.
func (f *File) SharedHash() string { return SharedHash(f.source) }

// SharedHash is [File.SharedHash] of a file's bytes. It works on lines, so comments count, and a
// file need not be right.
func SharedHash(source []byte) string {
	hash := sha256.New()
	own := false
	for line := range bytes.Lines(source) {
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

// WithSettings is the same file with other settings, those of a host that took it over. All else is
// shared with the file that it is made of.
func (f *File) WithSettings(settings map[string]string) *File {
	other := *f
	other.Settings = maps.Clone(settings)
	return &other
}

// Take puts a file in force that came from another host, where [SourceConfig.Publish] is set. One
// with another platform is invalid and leaves the old one in force, as in [Source.Reload]. A
// refusal of the file on disk, if there is one, stays: it is still wrong.
func (s *Source) Take(f *File) error {
	if problems := s.otherPlatform(f); problems != nil {
		return refusedFile(s.cfg.Path, problems)
	}
	s.mu.Lock()
	refused, since := s.status.Refused, s.status.RefusedSince
	s.mu.Unlock()
	s.use(f, refused, since)
	return nil
}

// OnDisk is the SharedHash of the file on disk when it could last be used; "": it never could.
func (s *Source) OnDisk() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.onDisk
}

// unchanged notes which file is on disk, and reports whether it is the one that was there before.
// Where hosts share the file in force, that one need not be in force. It is false for a host that
// has the file for itself: there the hash of the file in force decides.
func (s *Source) unchanged(loaded *File) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cfg.Publish == nil || s.onDisk != loaded.SharedHash() {
		s.onDisk = loaded.SharedHash()
		return false
	}
	return true
}
