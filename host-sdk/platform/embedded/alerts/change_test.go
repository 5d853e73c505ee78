package alerts

import (
	"testing"
	"time"
)

// Ids of one millisecond sort as they were made, also where another service of the process, whose
// clock differs, makes some between them.
func TestIdsSortAsTheyWereMade(t *testing.T) {
	t.Parallel()
	now, last := time.UnixMilli(1_700_000_000_000), ""
	for range 100 {
		id, err := newID(now)
		if err != nil || len(id) != 26 || id <= last {
			t.Fatalf("%q comes after %q (%v)", id, last, err)
		}
		last = id
		if other, err := newID(now.Add(time.Hour)); err != nil || other <= id {
			t.Fatalf("an hour later: %q after %q (%v)", other, id, err)
		}
	}
}
