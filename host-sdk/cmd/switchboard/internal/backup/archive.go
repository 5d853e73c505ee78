package backup

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store/seal"
)

// Format is the format of the archives that this program writes, and the newest that it reads.
const Format = 1

// Names of what an archive contains, in this order.
const (
	listName = "backup.json"
	sealName = "backup.seal"
	// Database is the database of SQLite, a single file.
	Database = "switchboard.db"
	// SwitchboardFile is the switchboard file as it was on the disk; there may be none.
	SwitchboardFile = "switchboard.yaml"
)

// List says what an archive contains. Rows let whoever restores it see at a glance whether it is
// what they expect.
type List struct {
	Format  int              `json:"format"`
	MadeAt  time.Time        `json:"made_at"`
	Version string           `json:"version"` // of switchboard
	Key     string           `json:"key"`     // id of the secret key
	Release int64            `json:"release"` // of the tables, see sqldb.Release
	Files   []File           `json:"files"`
	Rows    map[string]int64 `json:"rows"` // by table
}

// File is a file in an archive. Hash and size are those of the content before it is compressed.
type File struct {
	Name   string `json:"name"`
	Size   int64  `json:"size"` // bytes
	SHA256 string `json:"sha256"`
}

// place binds the seal of a list to its text. A seal that is copied to another list does not open.
func place(list []byte) seal.Place {
	sum := sha256.Sum256(list)
	return seal.Place{Table: "backup", ID: hex.EncodeToString(sum[:]), Field: listName}
}

// sealed is the seal of a list. It seals nothing but the place: the list itself stays readable, so
// that the key can be asked for by its id.
func sealed(key seal.Key, list []byte) (string, error) {
	value, err := key.Seal(place(list), nil)
	return base64.StdEncoding.EncodeToString(value) + "\n", err
}

// verify checks the seal of a list with one of some keys. An error says which key is needed, if it
// is the key that is missing.
func verify(keys seal.Ring, list []byte, text string) error {
	value, err := base64.StdEncoding.DecodeString(strings.TrimSpace(text))
	id := seal.IDOf(value)
	if err != nil || id == "" {
		return changed(sealName)
	}
	for _, k := range keys {
		if k.ID() != id {
			continue
		}
		if _, err := k.Open(place(list), value); err != nil {
			return changed(listName)
		}
		return nil
	}
	have := "there is none here"
	if len(keys) > 0 {
		have = "the one here is " + strings.Join(keys.IDs(), " and ")
	}
	return integration.Errorf(integration.KindInvalid, "this backup needs the secret key %s, and %s: set SWITCHBOARD_SECRET_KEY to that key, or put it as secret-key into the data directory", id, have)
}

// changed is the error for a part that is not what was written.
func changed(name string) error {
	return fmt.Errorf("the archive is damaged or was changed: %s is not what was written: take another backup", name)
}
