package settings

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/internal/access"
	"github.com/livecallrouting/livecall/host-sdk/internal/wholefile"
	"github.com/livecallrouting/livecall/host-sdk/store/seal"
)

// Files in the data directory: the kept secrets, one line each, and the database. Their names are
// known to those who make backups.
const (
	SecretKeyFile     = "secret-key"
	NextSecretKeyFile = "next-secret-key" // while the key is changed
	APITokenFile      = "api-token"
	DatabaseFile      = "switchboard.db"
)

// KeepSecrets fills in the secrets that were not given: each is read from the data directory, or
// made and kept there, readable by the owner alone. A secret key is never made beside a database: a
// new one would open nothing in it. Call it with the data directory locked. Without the lock two
// hosts that start at once would each make a key.
func (s *Settings) KeepSecrets() error {
	if s.SecretKey == "" {
		path := filepath.Join(s.DataDir, SecretKeyFile)
		kept, found, err := kept(path)
		// In this order: what would lose data is refused before anything is made.
		switch {
		case err != nil:
			return err
		case kept == "" && s.hasDatabase():
			return fmt.Errorf("%s holds no key, and what is secret in the database %s can be read with its key only: "+
				"put the file back from a backup, or start with SWITCHBOARD_SECRET_KEY if the key was given there", path, DatabaseFile)
		case kept == "" && found:
			return fmt.Errorf("%s is empty: put it back from a backup, or write the output of openssl rand -base64 32 into it if there never was a key", path)
		case kept == "":
			if kept, err = keepNew(path, seal.NewKey()); err != nil {
				return err
			}
		default:
			// Its length tells an operator what was pasted there; the text itself may be a secret.
			if _, err := seal.ParseKey(kept.Reveal()); err != nil {
				return fmt.Errorf("%s holds no key, but something else of %d characters: put the file back from a backup", path, len(kept))
			}
		}
		s.SecretKey = kept
		if err := s.keptNextKey(); err != nil {
			return err
		}
	}
	if s.APIToken == "" {
		path := filepath.Join(s.DataDir, APITokenFile)
		kept, _, err := kept(path)
		if err == nil && kept == "" { // nothing depends on the old token but those who know it
			kept, err = keepNew(path, rand.Text())
		}
		if err != nil {
			return err
		}
		s.APIToken = kept
	}
	return nil
}

// keptNextKey fills in the key to which the kept one is being changed, if there is such a file.
// Without a file there is nothing to do: no change of the key is under way.
func (s *Settings) keptNextKey() error {
	if s.NextSecretKey != "" {
		return nil
	}
	path := filepath.Join(s.DataDir, NextSecretKeyFile)
	next, found, err := kept(path)
	if err != nil || !found {
		return err
	}
	if _, err := seal.ParseKey(next.Reveal()); err != nil {
		return fmt.Errorf("%s holds no key, but something else of %d characters: remove it, and run switchboard rekey again", path, len(next))
	}
	s.NextSecretKey = next
	return nil
}

// Keys are the secret key and those that open values beside it, while the key is changed. Call it
// after KeepSecrets. The host seals with the first alone.
func (s Settings) Keys() (key seal.Key, also []seal.Key, err error) {
	if key, err = seal.ParseKey(s.SecretKey.Reveal()); err != nil {
		return key, nil, fmt.Errorf("secret key: %w", err)
	}
	if s.NextSecretKey == "" {
		return key, nil, nil
	}
	next, err := seal.ParseKey(s.NextSecretKey.Reveal())
	if err != nil {
		return key, nil, fmt.Errorf("next_secret_key: %w", err)
	}
	return key, []seal.Key{next}, nil
}

// KnownKeys are the secret key and the next one, as far as they are given or kept. Unlike
// KeepSecrets it makes none. Commands that only look use it: they must not leave a key in an empty
// folder.
func (s Settings) KnownKeys() (ring seal.Ring, err error) {
	for _, k := range []struct {
		given Secret
		file  string
	}{{s.SecretKey, SecretKeyFile}, {s.NextSecretKey, NextSecretKeyFile}} {
		text := k.given
		if text == "" {
			if text, _, err = kept(filepath.Join(s.DataDir, k.file)); err != nil {
				return nil, err
			}
		}
		if text == "" {
			continue
		}
		key, err := seal.ParseKey(text.Reveal())
		if err != nil {
			return nil, err
		}
		ring = append(ring, key)
	}
	return ring, nil
}

// checkKey refuses a text that is given as a key and is none. Its text never repeats the value.
func checkKey(name string, text Secret) error {
	if text == "" {
		return nil
	}
	_, err := seal.ParseKey(text.Reveal())
	var wrong *integration.Error
	if errors.As(err, &wrong) {
		return fmt.Errorf("%s: %s", name, wrong.Message)
	}
	return err
}

// MakeNextKey makes the key to which the kept one is to be changed, beside it. Both are needed
// until everything is sealed with the new one; see TakeNextKey.
func (s *Settings) MakeNextKey() (err error) {
	s.NextSecretKey, err = keepNew(filepath.Join(s.DataDir, NextSecretKeyFile), seal.NewKey())
	return err
}

// TakeNextKey makes the next kept key the secret key that is kept, and keeps the old one for
// backups that need it. It returns the old one's file. What is interrupted can be done again.
func (s Settings) TakeNextKey() (old string, err error) {
	current := filepath.Join(s.DataDir, SecretKeyFile)
	key, err := seal.ParseKey(s.SecretKey.Reveal())
	if err != nil {
		return "", err
	}
	// Named by its id, which backups name too.
	old = filepath.Join(s.DataDir, "old-secret-key-"+key.ID())
	if err := wholefile.Write(old, []byte(s.SecretKey.Reveal()+"\n"), 0o600); err != nil {
		return "", fmt.Errorf("keep the old key: %w", err)
	}
	// The rename is what counts: until then the old key is in force.
	return old, os.Rename(filepath.Join(s.DataDir, NextSecretKeyFile), current)
}

// LostDatabase reports whether the data directory holds a kept key and no database that it opens:
// the file was removed or emptied, unless a first start has failed early. Ask before KeepSecrets.
// With PostgreSQL the database is elsewhere.
func (s *Settings) LostDatabase() bool {
	if s.Postgres() || s.hasDatabase() {
		return false
	}
	key, _, err := kept(filepath.Join(s.DataDir, SecretKeyFile))
	return err == nil && key != ""
}

// hasDatabase reports whether the data directory holds a database that somebody has written to. An
// empty file is what a start leaves that failed early.
func (s *Settings) hasDatabase() bool {
	info, err := os.Stat(filepath.Join(s.DataDir, DatabaseFile))
	return err == nil && info.Size() > 0
}

// kept reads a secret from a file; "" if there is no file (found says so) or nothing in it. An
// error is a file that cannot be read, or that others can.
func kept(path string) (value Secret, found bool, err error) {
	data, err := readSecret(path, maxSecret)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", false, fmt.Errorf("kept secret: %w", err)
	}
	return Secret(strings.TrimSpace(string(data))), err == nil, nil
}

// keepNew writes a new secret to a file, with a line break for those who look at it. The file is
// whole or not there, so a crash leaves no half key.
func keepNew(path, value string) (Secret, error) {
	if err := wholefile.Write(path, []byte(value+"\n"), 0o600); err != nil {
		return "", fmt.Errorf("keep a secret: %w", err)
	}
	return Secret(value), nil
}

// Named is the secret that an environment variable of this name holds, or else the file at this
// path, which nobody else may read. Errors do not repeat its value. It is trimmed, as editors add a
// line break.
func Named(place string) (Secret, error) {
	value, set := os.LookupEnv(place)
	if !set {
		data, err := readSecret(place, maxSecret)
		if errors.Is(err, fs.ErrNotExist) {
			return "", fmt.Errorf("there is neither an environment variable nor a file %q", place)
		}
		if err != nil {
			return "", err
		}
		value = string(data)
	}
	if value = strings.TrimSpace(value); value == "" {
		return "", fmt.Errorf("the environment variable or file %q is empty", place)
	}
	return Secret(value), nil
}

// readSecret reads a file that nobody else can read or change. The open file is checked, not the
// path: the path could be another file a moment later. No more than limit bytes are read. It is
// fs.ErrNotExist where there is none.
func readSecret(path string, limit int64) ([]byte, error) {
	if info, err := os.Stat(path); err != nil {
		return nil, err
	} else if err := access.Secret(path, info); err != nil {
		// Before opening: a pipe would wait for its writer.
		return nil, err
	}
	f, err := os.Open(path) //nolint:gosec // in the data directory
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	// The file that is open now, which may be another one than was looked at above.
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if err := access.Secret(path, info); err != nil {
		return nil, err
	}
	return io.ReadAll(io.LimitReader(f, limit))
}

// maxSecret bounds a file with a secret, in bytes. Keys have some dozens; the limit is for a path
// that names something else by mistake.
const maxSecret = 4096
