package main

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"aead.dev/minisign"
)

const (
	keyVariable      = "LIVECALL_MINISIGN_KEY"
	passwordVariable = "LIVECALL_MINISIGN_PASSWORD"
	sumsName         = "SHA256SUMS"
)

// signingKey is the key of the environment; nil: there is none. It is read before anything is
// built. Errors repeat neither key nor password.
func signingKey() (*minisign.PrivateKey, error) {
	text := os.Getenv(keyVariable)
	if text == "" {
		return nil, nil
	}
	if !minisign.IsEncrypted([]byte(text)) {
		var key minisign.PrivateKey
		if err := key.UnmarshalText([]byte(text)); err != nil {
			return nil, errors.New(keyVariable + " is not the text of a minisign secret key")
		}
		return &key, nil
	}
	key, err := minisign.DecryptKey(os.Getenv(passwordVariable), []byte(text))
	if err != nil {
		return nil, fmt.Errorf("%s does not open the key in %s", passwordVariable, keyVariable)
	}
	return &key, nil
}

// finish writes the hashes of all files, and with a key a signature beside each. The same key makes
// the same signatures: their trusted comment has the commit's time and the file's name, against
// files that are exchanged for older ones. It is the last step: what is written afterwards would be
// unsigned.
func (r *release) finish(key *minisign.PrivateKey) error {
	files, err := filepath.Glob(filepath.Join(r.out, "*")) // in the order of their names
	if err != nil {
		return err
	}
	var sums strings.Builder
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		fmt.Fprintf(&sums, "%x  %s\n", sha256.Sum256(data), filepath.Base(file))
		fmt.Printf("%s  %.1f MB\n", filepath.Base(file), float64(len(data))/1e6)
	}
	list := filepath.Join(r.out, sumsName)
	if err := os.WriteFile(list, []byte(sums.String()), 0o644); err != nil { //nolint:gosec // everybody may read a release
		return err
	}
	if key == nil {
		fmt.Println(keyVariable + " is not set: nothing is signed")
		return nil
	}
	// The list is signed as well, so that one signature covers everything.
	for _, file := range append(files, list) {
		data, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		comment := fmt.Sprintf("timestamp:%d\tfile:%s", r.source.committed.Unix(), filepath.Base(file))
		signature := minisign.SignWithComments(*key, data, comment, "signature of livecall "+r.source.version)
		if err := os.WriteFile(file+".minisig", signature, 0o644); err != nil { //nolint:gosec // as above
			return err
		}
	}
	fmt.Printf("signed with the key %X\n", key.ID())
	return nil
}
