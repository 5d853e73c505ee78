package stored

import (
	"encoding/json"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
)

// Ms is how times are stored: milliseconds since 1970 in UTC, 0 for the zero time. Integers compare
// and index the same in every database. A time before 1970 would be negative, and none is stored.
func Ms(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// At reads a stored time.
func At(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// Bit is how booleans are stored: 0 or 1, since SQLite has no type of its own for them.
func Bit(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// Encode makes JSON of plain values. Contract types are stored under their Go field names: a field
// may be added at any time, a renamed one needs a migration. What cannot be encoded, such as a
// number that is none, is invalid.
func Encode(v any) (string, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return "", integration.Errorf(integration.KindInvalid, "cannot be stored: %w", err)
	}
	return string(b), nil
}

// Decode reads what encode wrote. A value that cannot be read is reported as damage of the
// database, with what it belongs to.
func Decode(text []byte, into any, what string) error {
	if err := json.Unmarshal(text, into); err != nil {
		return integration.Errorf(integration.KindInternal, "%s in the database is damaged: %w", what, err)
	}
	return nil
}

// Some keeps nil out of columns that are not null. The driver stores a nil slice as NULL and an
// empty one as no bytes.
func Some(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}
