package settings

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/internal/wholefile"
	"github.com/livecallrouting/livecall/host-sdk/platform/goalert"
)

// GoAlertKeys is the document that the set-up of GoAlert writes and that the setting keys names:
// JSON. All of it is secret. It is written by one command and read by the host at each start.
type GoAlertKeys struct {
	// Of the server, so that one's keys do not replace another's.
	URL          string            `json:"url,omitempty"`
	CallKey      goalert.Secret    `json:"call_key"`
	PollKey      goalert.Secret    `json:"poll_key"`
	WebhookToken goalert.Secret    `json:"webhook_token,omitempty"`
	Services     []goalert.Service `json:"services"`
	// Of the set-up: the key of the label whose values are teams.
	Label   string    `json:"label,omitempty"`
	Expires time.Time `json:"expires,omitzero"` // of the API keys
	// KeyIDs are GoAlert's ids of the API keys, OldKeyIDs those of earlier set-ups, which GoAlert
	// may still accept.
	KeyIDs    []string `json:"key_ids,omitempty"`
	OldKeyIDs []string `json:"old_key_ids,omitempty"`
}

// maxKeys bounds the document of GoAlert's keys, in bytes: thousands of services.
const maxKeys = 1 << 20

// parseGoAlertKeys reads the document. Its error repeats nothing of it.
func parseGoAlertKeys(text []byte) (keys GoAlertKeys, err error) {
	if json.Unmarshal(text, &keys) != nil {
		return keys, errors.New("it is not the JSON document that switchboard platform setup goalert writes")
	}
	return keys, nil
}

// ReadGoAlertKeys reads the document from a file that nobody else can read. Without a file it is
// empty.
func ReadGoAlertKeys(path string) (GoAlertKeys, error) {
	text, err := readSecret(path, maxKeys)
	if errors.Is(err, fs.ErrNotExist) {
		return GoAlertKeys{}, nil
	}
	if err != nil {
		return GoAlertKeys{}, err
	}
	keys, err := parseGoAlertKeys(text)
	if err != nil {
		err = fmt.Errorf("%s: %w; name another file with --keys", path, err)
	}
	return keys, err
}

// Writable reports whether Write could write there: keys that nobody could keep must not be made.
// It is asked before the set-up makes keys in GoAlert, which shows each once.
func (k GoAlertKeys) Writable(path string) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return err
	}
	_ = f.Close()
	return os.Remove(f.Name())
}

// Write replaces the file at once by one of mode 0600: whoever reads it finds the old keys or the
// new ones.
func (k GoAlertKeys) Write(path string) error {
	text, err := json.MarshalIndent(k, "", "  ")
	if err != nil {
		return err
	}
	return wholefile.Write(path, append(text, '\n'), 0o600)
}

// Line is the document in one line, for an environment variable. It is as secret as the file.
func (k GoAlertKeys) Line() (string, error) {
	text, err := json.Marshal(k)
	return string(text), err
}
