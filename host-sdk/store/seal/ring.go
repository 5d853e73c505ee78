package seal

import (
	"encoding/base64"
	"encoding/hex"

	"github.com/livecallrouting/livecall/host-sdk/integration"
)

// Ring holds the keys that open values: one, or two while an installation changes its secret key.
// The first is the one that the settings name as the secret key.
type Ring []Key

// Open decrypts with whichever key has sealed the value; its errors are those of [Key.Open].
func (r Ring) Open(at Place, sealed []byte) ([]byte, error) {
	if len(r) == 0 {
		return nil, errNoKey()
	}
	id := IDOf(sealed)
	for _, k := range r {
		if k.ID() == id {
			return k.Open(at, sealed)
		}
	}
	return r[0].Open(at, sealed)
}

// MadeCheck is the key that made a check value, and new values are sealed with; see [Key.Check].
// Its errors are those of [Key.Verify].
func (r Ring) MadeCheck(check string) (Key, error) {
	if len(r) == 0 {
		return Key{}, errNoKey()
	}
	sealed, err := base64.StdEncoding.DecodeString(check)
	if err == nil {
		id := IDOf(sealed)
		for _, k := range r {
			if k.ID() == id {
				return k, k.Verify(check)
			}
		}
	}
	err = r[0].Verify(check)
	if err == nil {
		err = integration.Errorf(integration.KindInternal, "the database's check of %s is damaged", Setting)
	}
	return Key{}, err
}

// IDs are the ids of the keys, in order; see [Key.ID].
func (r Ring) IDs() []string {
	ids := make([]string, 0, len(r))
	for _, k := range r {
		ids = append(ids, k.ID())
	}
	return ids
}

// IDOf is the id of the key that has sealed a value, as [Key.ID] says it; "" if the value is no
// sealed one. Nothing is decrypted.
func IDOf(sealed []byte) string {
	if len(sealed) < Overhead || sealed[0] != format {
		return ""
	}
	return hex.EncodeToString(sealed[1:headBytes])
}
