package remote

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Headers and limits of Standard Webhooks 1.0.0.
const (
	headerID        = "Webhook-Id"
	headerTimestamp = "Webhook-Timestamp"
	headerSignature = "Webhook-Signature"
	secretPrefix    = "whsec_"
	maxSkew         = 5 * time.Minute
)

// decodeSecret reads "whsec_" and base64 of 24 to 64 bytes. The prefix guards against a token that
// was pasted in its place.
func decodeSecret(text string) ([]byte, error) {
	encoded, prefixed := strings.CutPrefix(text, secretPrefix)
	secret, err := base64.StdEncoding.DecodeString(encoded)
	if !prefixed || err != nil || len(secret) < 24 || len(secret) > 64 {
		return nil, errors.New("write whsec_ and the base64 of 24 to 64 random bytes")
	}
	return secret, nil
}

// sign makes the HMAC-SHA256 of Standard Webhooks; content is id.timestamp.body.
func sign(secret []byte, content string) []byte {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(content))
	return mac.Sum(nil)
}

// verify says what is wrong with a signed message, in words for who wrote the sender; nil if one of
// the secrets made its signature within maxSkew of now. The time is part of what is signed, so a
// message that somebody has recorded cannot be sent again later.
func verify(secrets [][]byte, h http.Header, body []byte, now time.Time) error {
	id, timestamp := h.Get(headerID), h.Get(headerTimestamp)
	for _, name := range []string{headerID, headerTimestamp, headerSignature} {
		if h.Get(name) == "" {
			return fmt.Errorf("the header %s is missing", strings.ToLower(name))
		}
	}
	seconds, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil {
		return errors.New("webhook-timestamp is no number: write seconds since 1970, without a fraction")
	}
	if skew := now.Sub(time.Unix(seconds, 0)); skew > maxSkew || skew < -maxSkew {
		return fmt.Errorf("webhook-timestamp is %.0f s away from our clock, more than %.0f: write seconds, set the clock, and write the time of each try", skew.Abs().Seconds(), maxSkew.Seconds())
	}
	// The header may hold several signatures while a secret is replaced, and versions that we do
	// not know.
	var given [][]byte
	for part := range strings.FieldsSeq(h.Get(headerSignature)) {
		if text, ok := strings.CutPrefix(part, "v1,"); ok {
			if mac, err := base64.StdEncoding.DecodeString(text); err == nil {
				given = append(given, mac)
			}
		}
	}
	for _, secret := range secrets {
		if anyIs(given, sign(secret, id+"."+timestamp+"."+string(body))) {
			return nil
		}
	}
	return mistake(secrets, h, given, body)
}

// anyIs reports whether one of the signatures fits, in a time that does not say which.
func anyIs(given [][]byte, want []byte) bool {
	found := false
	for _, mac := range given {
		found = hmac.Equal(mac, want) || found
	}
	return found
}

// mistake looks for the commonest mistakes in a signature that does not fit. It runs only for
// messages that are refused. Each answer tells the sender's author what to change; none helps a
// stranger, who has no secret to make a mistake with.
func mistake(secrets [][]byte, h http.Header, given [][]byte, body []byte) error {
	id, timestamp := h.Get(headerID), h.Get(headerTimestamp)
	// Each case makes the signature that one mistake leads to, and compares.
	right := id + "." + timestamp + "." + string(body)
	for _, secret := range secrets {
		text := base64.StdEncoding.EncodeToString(secret)
		switch mac := sign(secret, right); {
		// The right bytes in a wrong spelling.
		case strings.Contains(h.Get(headerSignature), hex.EncodeToString(mac)):
			return errors.New("the signature is written in hexadecimal: write base64")
		case strings.Contains(h.Get(headerSignature), base64.StdEncoding.EncodeToString(mac)):
			return errors.New(`the signature has no "v1," before it`)
		case anyIs(given, sign([]byte(secretPrefix+text), right)), anyIs(given, sign([]byte(text), right)):
			return errors.New("the secret was used as text: decode the base64 after whsec_")
		case anyIs(given, sign(secret, string(body))):
			return errors.New("only the body is signed: sign id.timestamp.body")
		case anyIs(given, sign(secret, timestamp+"."+string(body))):
			return errors.New("the id is not signed: sign id.timestamp.body")
		case anyIs(given, sign(secret, id+"."+string(body))):
			return errors.New("the time is not signed: sign id.timestamp.body")
		}
	}
	if len(given) == 0 {
		return errors.New(`webhook-signature has no part that begins with "v1," and is base64`)
	}
	if n := len(given[0]); n != sha256.Size {
		return fmt.Errorf("the signature has %d bytes: HMAC-SHA256 has %d", n, sha256.Size)
	}
	return errors.New("the signature does not fit: either the secret is another, or other bytes were signed than were sent (serialise the body once), or another id or time")
}
