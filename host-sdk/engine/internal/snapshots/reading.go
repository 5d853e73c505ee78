package snapshots

import (
	"cmp"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/engine/internal/packed"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// Reading is an alert as it was read. No clock says which of two readings is the newer:
// hosts have one each, and clocks are set. Platforms number the changes of an alert; where one does
// not, the session counts the readings that its handlers have seen, and only one that began after
// the last of them is newer for certain.
type Reading struct {
	Snap *integration.AlertSnapshot // nil: there is no such alert
	name string                     // of this reading, if the platform gave no change number
	from int64                      // then: the count of the session before the reading began
	turn int64                      // readings of this process in the order in which they began
}

// known is a reading as it is kept: there is one of each call in progress.
type known struct {
	snap packed.Of[integration.AlertSnapshot] // "": there is no such alert
	name string
	from int64
	turn int64
}

// keeping is how a reading is kept.
func keeping(r Reading) known {
	k := known{name: r.name, from: r.from, turn: r.turn}
	if r.Snap != nil {
		k.snap = packed.Pack(r.Snap)
	}
	return k
}

// reading is what was kept.
func (k known) reading() Reading {
	r := Reading{name: k.name, from: k.from, turn: k.turn}
	if k.snap != "" {
		snap := k.snap.Unpack()
		r.Snap = &snap
	}
	return r
}

// newer compares snapshots by what they include of our commands, then by the number of the change;
// more than 0: snap is newer than one with these numbers.
func newer(snap *integration.AlertSnapshot, command, change int64) int {
	return cmp.Or(cmp.Compare(snap.LastCommand, command), cmp.Compare(snap.Change, change))
}

// Outdated reports whether the session's handlers have seen a newer snapshot.
func (r Reading) Outdated(m store.AlertMemory) bool {
	return r.Snap != nil && newer(r.Snap, m.Command, m.Change) < 0 || r.Overtaken(m)
}

// Overtaken reports whether another reading, of another host perhaps, was seen since this one
// began, so that nobody can say which is the newer.
func (r Reading) Overtaken(m store.AlertMemory) bool {
	return r.name != "" && r.name != m.Read && r.from < m.Change
}

// replaces reports whether the reading is to be remembered in place of another one.
func (r Reading) replaces(old Reading) bool {
	if r.Snap != nil && old.Snap != nil {
		if n := newer(r.Snap, old.Snap.LastCommand, old.Snap.Change); n != 0 {
			return n > 0
		}
	}
	return r.turn > old.turn
}

// Seen notes that a handler has seen the reading, unless it has seen a newer one.
func (r Reading) Seen(m *store.AlertMemory) {
	if r.Snap != nil && !r.Outdated(*m) {
		m.Command, m.Change, m.Read = r.Snap.LastCommand, r.Snap.Change, r.name
	}
}

// MemoryOf is what the host remembers of a session's alert; sess may be nil. A session from a
// release without this memory has had its commands given to the platform.
func MemoryOf(sess *store.Session) store.AlertMemory {
	switch {
	case sess == nil:
		return store.AlertMemory{}
	case sess.Alert == nil:
		return store.AlertMemory{Commands: store.CommandsGiven}
	default:
		return *sess.Alert
	}
}

// seen is what a handler has seen of an alert: all but the time and the number of the reading.
func seen(snap *integration.AlertSnapshot) packed.Of[integration.AlertSnapshot] {
	of := *snap
	of.ReadAt, of.Change = time.Time{}, 0
	return packed.Pack(&of)
}
