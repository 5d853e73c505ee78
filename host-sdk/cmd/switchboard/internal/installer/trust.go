package installer

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"aead.dev/minisign"

	"github.com/livecallrouting/livecall/host-sdk/internal/access"
	"github.com/livecallrouting/livecall/host-sdk/internal/wholefile"
)

// SignatureSuffix is what minisign adds to the name of a file for that of its signature.
const SignatureSuffix = ".minisig"

const (
	trustedName = ".trusted"
	keySuffix   = ".pub"
	maxKeyBytes = 4 << 10 // of a file with a key or a signature
)

// Key is a public key whose signatures are accepted. It is an Ed25519 key; its id is chosen by
// whoever made it and proves nothing.
type Key struct {
	ID        string `json:"id"`  // 16 hexadecimal digits, as minisign prints it
	PublicKey string `json:"key"` // the second line of minisign's .pub file
	public    minisign.PublicKey
}

// ParseKey reads a key: its text as minisign prints it, or the name of a .pub file that holds it. A
// file that exists is read; anything else is the key.
func ParseKey(given string) (Key, error) {
	text := []byte(given)
	if _, err := os.Stat(given); err == nil {
		if text, err = readSmall(given); err != nil {
			return Key{}, fmt.Errorf("key file %s: %w", given, err)
		}
	}
	var public minisign.PublicKey
	if err := public.UnmarshalText(text); err != nil {
		return Key{}, fmt.Errorf("%.80q is neither a minisign public key (56 characters that begin with RW) nor a file with one: take it from the plugin's publisher", given)
	}
	return newKey(public), nil
}

// newKey completes a key.
func newKey(public minisign.PublicKey) Key {
	return Key{ID: keyID(public.ID()), PublicKey: public.String(), public: public}
}

// keyID is an id as minisign prints it.
func keyID(id uint64) string { return fmt.Sprintf("%016X", id) }

// readSmall reads a file that is at most as large as one with a key or a signature. The bound keeps
// a device or a large file from being read whole.
func readSmall(path string) ([]byte, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular() || info.Size() > maxKeyBytes:
		return nil, fmt.Errorf("is not a file of at most %d bytes", maxKeyBytes)
	}
	return os.ReadFile(path)
}

// Trust accepts signatures of a key from now on. It reports whether the key is new. A second key
// with a known id is refused.
func (f Folder) Trust(key Key) (added bool, err error) {
	known, err := f.Trusted()
	if err != nil {
		return false, err
	}
	for _, k := range known {
		if k.ID == key.ID && k.public.Equal(key.public) {
			return false, nil
		}
		// Whoever makes a key chooses its id.
		if k.ID == key.ID {
			return false, fmt.Errorf("another key with the id %s is trusted already: remove that one first (plugin trust --remove %s), if its owner confirms the new one", key.ID, key.ID)
		}
	}
	if err := os.MkdirAll(f.trusted(), 0o755); err != nil { //nolint:gosec // public keys, which the host's user reads too
		return false, err
	}
	text, err := key.public.MarshalText()
	if err != nil {
		return false, err
	}
	return true, wholefile.Write(filepath.Join(f.trusted(), key.ID+keySuffix), text, 0o644)
}

// Distrust ends the trust in the key of an id. Plugins that it has signed stay installed. Ids are
// written in upper case.
func (f Folder) Distrust(id string) error {
	known, err := f.Trusted()
	if err != nil {
		return err
	}
	id = strings.ToUpper(id)
	if !slices.ContainsFunc(known, func(k Key) bool { return k.ID == id }) {
		return fmt.Errorf("no key with the id %.40q is trusted: switchboard plugin trust shows the keys", id)
	}
	return os.Remove(filepath.Join(f.trusted(), id+keySuffix))
}

// Trusted lists the trusted keys by id. A file that is none, or that others could have written, is
// an error: a key that is silently passed over would look like a wrong signature. No folder means
// no keys.
func (f Folder) Trusted() ([]Key, error) {
	entries, err := os.ReadDir(f.trusted())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if err := access.Way(f.trusted()); err != nil {
		return nil, fmt.Errorf("trusted keys: %w", err)
	}
	var keys []Key
	for _, entry := range entries {
		if !strings.HasSuffix(entry.Name(), keySuffix) {
			continue
		}
		path := filepath.Join(f.trusted(), entry.Name())
		info, err := os.Lstat(path)
		if err == nil {
			err = access.Unwritable(path, info)
		}
		if err != nil {
			return nil, fmt.Errorf("trusted keys: %w", err)
		}
		key, err := ParseKey(path)
		// A file under another key's name would be found in its place.
		if err == nil && key.ID+keySuffix != entry.Name() {
			err = fmt.Errorf("holds the key %s", key.ID)
		}
		if err != nil {
			return nil, fmt.Errorf("trusted keys: %s: %w: remove the file, and trust the key again", path, err)
		}
		keys = append(keys, key)
	}
	return keys, nil
}

// trusted is the folder with the keys.
func (f Folder) trusted() string { return filepath.Join(f.Path, trustedName) }

// signer is the trusted key that has signed what. The signature is in the file with this name.
// Errors say what was not right and what to do, as this is where people stop trusting too little or
// too much.
func (f Folder) signer(what []byte, signatureFile string) (Key, error) {
	const or = "get the signature from the publisher, or pass --unsigned for a plugin that you built yourself"
	text, err := readSmall(signatureFile)
	if errors.Is(err, fs.ErrNotExist) {
		return Key{}, fmt.Errorf("there is no signature %s: %s", signatureFile, or)
	}
	if err != nil {
		return Key{}, fmt.Errorf("signature %s: %w", signatureFile, err)
	}
	var signature minisign.Signature
	if err := signature.UnmarshalText(text); err != nil {
		return Key{}, fmt.Errorf("signature %s is not one of minisign: %s", signatureFile, or)
	}
	known, err := f.Trusted()
	if err != nil {
		return Key{}, err
	}
	at := slices.IndexFunc(known, func(k Key) bool { return k.public.ID() == signature.KeyID })
	if at < 0 {
		return Key{}, fmt.Errorf("it is signed by the key %s, which is not trusted: compare the id with what the publisher says of its key, then run switchboard plugin trust with that key", keyID(signature.KeyID))
	}
	// The key's own bytes decide, not its id.
	if !minisign.Verify(known[at].public, what, text) {
		return Key{}, fmt.Errorf("the signature %s of the trusted key %s does not fit: the file was changed or damaged on its way: get it and its signature again", signatureFile, known[at].ID)
	}
	return known[at], nil
}
