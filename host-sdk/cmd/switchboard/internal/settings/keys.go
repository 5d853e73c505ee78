package settings

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/livecallrouting/livecall/host-sdk/store/seal"
)

// Files in the data directory that hold kept secrets.
const (
	SecretKeyFile = "secret-key"
	APITokenFile  = "api-token"
)

// KeepSecrets fills in the secrets that were not given: each is read from the data directory, or
// made and kept there, readable by the owner alone. Call it with the data directory locked.
func (s *Settings) KeepSecrets() error {
	for _, k := range []struct {
		value *Secret
		file  string
		fresh func() string
	}{{&s.SecretKey, SecretKeyFile, seal.NewKey}, {&s.APIToken, APITokenFile, rand.Text}} {
		if *k.value != "" {
			continue
		}
		kept, err := keep(filepath.Join(s.DataDir, k.file), k.fresh)
		if err != nil {
			return err
		}
		*k.value = kept
	}
	return nil
}

// keep reads a secret from a file, or makes one and writes it there. An empty file is refused: a
// new key in its place would make every sealed value unreadable.
func keep(path string, fresh func() string) (Secret, error) {
	data, err := os.ReadFile(path)
	switch {
	case err == nil:
		value := strings.TrimSpace(string(data))
		if value == "" {
			return "", fmt.Errorf("%s is empty: restore it from a backup, or delete it to have a new one generated", path)
		}
		return Secret(value), nil
	case !errors.Is(err, fs.ErrNotExist):
		return "", fmt.Errorf("kept secret: %w", err)
	}
	value := fresh()
	if err := writeNew(path, value+"\n"); err != nil {
		return "", fmt.Errorf("keep a secret: %w", err)
	}
	return Secret(value), nil
}

// writeNew writes beside the target and renames, so that a crash leaves no half a key behind.
func writeNew(path, content string) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*") // created 0600
	if err != nil {
		return err
	}
	_, err = f.WriteString(content)
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name())
	}
	return err
}
