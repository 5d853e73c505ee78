package platformcheck

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/platformcheck/record"
	"github.com/livecallrouting/livecall/host-sdk/platform/remote/wire"
)

// differ lists the members that two snapshots do not share, by their names on the wire; "" for
// none. Both values are shown with each.
func differ(before, after wire.AlertSnapshot) string {
	x, y := fields(before), fields(after)
	var out []string
	for _, name := range slices.Sorted(maps.Keys(x)) {
		if !reflect.DeepEqual(x[name], y[name]) {
			out = append(out, fmt.Sprintf("%s was %s, is %s", name, record.Written(x[name]), record.Written(y[name])))
		}
	}
	return strings.Join(out, "; ")
}

// fields are the members of a snapshot; those that may be absent are there with nil, so that both
// sides have the same.
func fields(s wire.AlertSnapshot) map[string]any {
	text, _ := json.Marshal(s) // a snapshot that was read can be written
	out := map[string]any{}
	_ = json.Unmarshal(text, &out)
	for _, name := range []string{"declined", "change", "url", "unpaged"} {
		if _, there := out[name]; !there {
			out[name] = nil
		}
	}
	return out
}
