package known

import (
	"slices"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/oneline"
)

// maxNote is the longest note of a router that is kept, in characters.
const maxNote = 1000

// Names from a platform are cleaned here, where they enter: they are spoken, written into mail
// headers and shown on pages, and a platform's people may write what they like.

// cleanName cleans a name; where nothing is left the id serves.
func cleanName(name, id string) string {
	if clean := oneline.Clean(name, oneline.MaxName); clean != "" || name == "" {
		return clean
	}
	return id
}

// cleanDestinations copies the list, which is the platform's: it may keep and share it.
func cleanDestinations(list []integration.Destination) []integration.Destination {
	if list == nil {
		return nil
	}
	out := make([]integration.Destination, len(list))
	for i, d := range list {
		d.Name = cleanName(d.Name, d.ID)
		out[i] = d
	}
	return out
}

// cleanOnCall cleans the people's names; the list is copied for the same reason.
func cleanOnCall(list []integration.OnCallEntry) []integration.OnCallEntry {
	out := make([]integration.OnCallEntry, len(list))
	for i, entry := range list {
		entry.User.Name = cleanName(entry.User.Name, entry.User.ID)
		out[i] = entry
	}
	return out
}

// CleanVerdict cleans what a platform's routing says: its notes are shown to people, and teams may
// be spoken.
func CleanVerdict(v integration.RouteVerdict) integration.RouteVerdict {
	v.Notes = slices.Clone(v.Notes)
	for i, note := range v.Notes {
		v.Notes[i] = oneline.Clean(note, maxNote)
	}
	v.Receivers, v.Default = cleanDestinations(v.Receivers), cleanDestinations(v.Default)
	return v
}
