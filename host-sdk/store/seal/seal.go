package seal

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"

	"golang.org/x/crypto/chacha20poly1305"

	"github.com/livecallrouting/livecall/host-sdk/integration"
)

// A sealed value is: one byte format, the key's id, the nonce, the ciphertext with its tag. Format
// and id are authenticated with the place.
const (
	format     = 1
	headBytes  = 1 + idBytes
	nonceBytes = chacha20poly1305.NonceSizeX
	// Overhead is by how many bytes a sealed value is longer than its plain text.
	Overhead = headBytes + nonceBytes + chacha20poly1305.Overhead
)

// Place is where a value lives. A sealed value opens at its own place only.
type Place struct {
	Table string
	ID    string // of the row; with revision or the like where rows have several
	Field string
}

// Seal encrypts plain for its place. Sealing the same text twice gives different values.
func (k Key) Seal(at Place, plain []byte) ([]byte, error) {
	if k.aead == nil {
		return nil, errNoKey()
	}
	out := make([]byte, headBytes+nonceBytes, Overhead+len(plain))
	out[0] = format
	copy(out[1:], k.id[:])
	nonce := out[headBytes:]
	_, _ = rand.Read(nonce) // 24 random bytes: never repeated in practice; Read never fails
	return k.aead.Seal(out, nonce, plain, at.bind(out[:headBytes])), nil
}

// Open decrypts what Seal made at the same place. Sealed with another key: invalid, naming the
// setting. Damaged, cut off or from another place: internal.
func (k Key) Open(at Place, sealed []byte) ([]byte, error) {
	if k.aead == nil {
		return nil, errNoKey()
	}
	if len(sealed) < Overhead {
		return nil, at.damaged()
	}
	if sealed[0] != format {
		return nil, integration.Errorf(integration.KindUnsupported,
			"%s is sealed in format %d, this program knows %d: run the newer program", at, sealed[0], format)
	}
	head, nonce, rest := sealed[:headBytes], sealed[headBytes:headBytes+nonceBytes], sealed[headBytes+nonceBytes:]
	if [idBytes]byte(head[1:]) != k.id {
		return nil, &integration.Error{Kind: integration.KindInvalid, Field: Setting, Message: "the database was written with another " + Setting +
			" (key " + hex.EncodeToString(head[1:]) + ", this one is " + k.ID() + "); start with that one"}
	}
	plain, err := k.aead.Open(nil, nonce, rest, at.bind(head))
	if err != nil {
		return nil, at.damaged()
	}
	return plain, nil
}

// bind is the associated data: head and place, each part with its length so that no two places look
// alike.
func (p Place) bind(head []byte) []byte {
	out := make([]byte, 0, len(head)+len(p.Table)+len(p.ID)+len(p.Field)+12)
	out = append(out, head...)
	for _, part := range []string{p.Table, p.ID, p.Field} {
		out = binary.BigEndian.AppendUint32(out, uint32(len(part))) //nolint:gosec // names are short
		out = append(out, part...)
	}
	return out
}

// String is for errors.
func (p Place) String() string { return p.Table + "/" + p.ID + "/" + p.Field }

// damaged is the error for a value that does not open: it was changed, cut off, or moved here.
func (p Place) damaged() error {
	return integration.Errorf(integration.KindInternal, "%s: the sealed value is damaged, or belongs elsewhere; restore the database from a backup", p)
}

// errNoKey is the error of the zero Key.
func errNoKey() error {
	return &integration.Error{Kind: integration.KindInvalid, Field: Setting, Message: "no key given"}
}
