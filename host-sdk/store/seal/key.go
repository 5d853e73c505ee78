package seal

import (
	"bytes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"strings"

	"golang.org/x/crypto/chacha20poly1305"

	"github.com/livecallrouting/livecall/host-sdk/integration"
)

// Setting is the name of the setting that holds the secret key; errors name it.
const Setting = "SWITCHBOARD_SECRET_KEY"

// keyBytes is the length of the secret key.
const keyBytes = 32

// idBytes is the length of a key's id.
const idBytes = 8

// Key seals and opens. It prints as its id only. The zero Key does neither.
type Key struct {
	id   [idBytes]byte // derived from the secret, tells nothing about it
	aead cipher.AEAD
}

// NewKey makes a random secret key, as text for [ParseKey]. If it is lost, so is what was sealed
// with it.
func NewKey() string {
	secret := make([]byte, keyBytes)
	_, _ = rand.Read(secret) // never fails, see crypto/rand
	return base64.StdEncoding.EncodeToString(secret)
}

// ParseKey reads a secret key: 32 bytes as 64 hexadecimal digits or as base64 (either alphabet,
// padded or not); white space around it does not matter. Anything else is invalid; the error does
// not repeat the text.
func ParseKey(text string) (Key, error) {
	text = strings.TrimSpace(text)
	secret := decode(text)
	if len(secret) != keyBytes {
		return Key{}, &integration.Error{Kind: integration.KindInvalid, Field: Setting, Message: fmt.Sprintf(
			"want %d random bytes as 64 hexadecimal digits or 44 characters of base64, not these %d characters; \"openssl rand -base64 32\" makes one", keyBytes, len(text))}
	}
	if bytes.Count(secret, secret[:1]) == keyBytes {
		return Key{}, &integration.Error{Kind: integration.KindInvalid, Field: Setting, Message: "is one byte again and again, not random; \"openssl rand -base64 32\" makes one"}
	}
	var k Key
	id, err := derive(secret, "key id", idBytes)
	if err != nil {
		return Key{}, err
	}
	copy(k.id[:], id)
	data, err := derive(secret, "data", chacha20poly1305.KeySize)
	if err != nil {
		return Key{}, err
	}
	if k.aead, err = chacha20poly1305.NewX(data); err != nil {
		return Key{}, fmt.Errorf("seal: %w", err)
	}
	return k, nil
}

// decode reads a key in one of the accepted notations; nil if it is in none. 64 hexadecimal digits
// are also valid base64, of 48 bytes: they are tried first.
func decode(text string) []byte {
	if len(text) == hex.EncodedLen(keyBytes) {
		if secret, err := hex.DecodeString(text); err == nil {
			return secret
		}
	}
	text = strings.TrimRight(strings.NewReplacer("-", "+", "_", "/").Replace(text), "=")
	secret, err := base64.RawStdEncoding.DecodeString(text)
	if err != nil {
		return nil
	}
	return secret
}

// derive makes a key for one purpose: what one gives away tells nothing of the others.
func derive(secret []byte, purpose string, length int) ([]byte, error) {
	out, err := hkdf.Key(sha256.New, secret, nil, "livecall store v1 "+purpose, length)
	if err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	return out, nil
}

// ID names the key, in hexadecimal. It is no secret.
func (k Key) ID() string { return hex.EncodeToString(k.id[:]) }

// Format implements fmt.Formatter: no verb prints what is inside.
func (k Key) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "seal.Key("+k.ID()+")") }

// checkPlace and checkText make up the check value.
var (
	checkPlace = Place{Table: "seal", ID: "check", Field: "key"}
	checkText  = []byte("sealed with this key")
)

// Check is a value to be kept beside what is sealed; see [Key.Verify].
func (k Key) Check() string {
	sealed, err := k.Seal(checkPlace, checkText)
	if err != nil {
		return ""
	}
	return base64.StdEncoding.EncodeToString(sealed)
}

// Verify tells whether the check value was made by this key; if not, the error is invalid and says
// what to do.
func (k Key) Verify(check string) error {
	sealed, err := base64.StdEncoding.DecodeString(check)
	if err != nil {
		return integration.Errorf(integration.KindInternal, "the database's check of %s is damaged: %w", Setting, err)
	}
	text, err := k.Open(checkPlace, sealed)
	if err != nil {
		return err
	}
	if subtle.ConstantTimeCompare(text, checkText) != 1 {
		return integration.Errorf(integration.KindInternal, "the database's check of %s is damaged", Setting)
	}
	return nil
}
