package record

import (
	"slices"

	"github.com/livecallrouting/livecall/host-sdk/store"
)

// Join is what two updates of a record, one after the other, make of it.
func Join(first, second *store.CallUpdate) *store.CallUpdate {
	if first == nil || second == nil {
		if first == nil {
			return second
		}
		return first
	}
	u := *first
	if second.View != nil {
		u.View, u.Live, u.IntegrationName = second.View, second.Live, second.IntegrationName
	}
	for _, text := range []struct {
		to   *string
		from string
	}{{&u.Alert.Key, second.Alert.Key}, {&u.Alert.ID, second.Alert.ID}, {&u.Alert.URL, second.Alert.URL}, {&u.Alert.Title, second.Alert.Title}} {
		if text.from != "" {
			*text.to = text.from
		}
	}
	u.Story = append(slices.Clip(u.Story), second.Story...)
	u.Fields = append(slices.Clip(u.Fields), second.Fields...)
	u.Recordings = append(slices.Clip(u.Recordings), second.Recordings...)
	u.Heard = append(slices.Clip(u.Heard), second.Heard...)
	return &u
}
