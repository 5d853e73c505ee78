package engine

import (
	"reflect"

	"github.com/livecallrouting/livecall/host-sdk/engine/internal/record"
	"github.com/livecallrouting/livecall/host-sdk/engine/internal/snapshots"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// record adds to the commit what the outcome says about the call, and lets the session remember
// what of its alert is in its story. What the platform shows comes before what the handler decided
// upon it. A quiet outcome does not come here, so a tick writes no record.
func (j job) record(c *store.Commit, l loaded, o integration.Outcome) {
	before := callOf(l.session)
	view := before
	if o.Session != nil {
		view = o.Session.Call
	}
	if j.key == "" || j.key == integration.IntegrationSessionKey || view == nil {
		return
	}
	u := &store.CallUpdate{}
	if s := o.Session; s != nil {
		if before == nil || l.session.Live != s.Live || !reflect.DeepEqual(before, view) {
			u.New, u.View, u.Live, u.IntegrationName = before == nil, view, s.Live, l.integration.Name
		}
		// Only a session can remember what the story has: without one it is added with the next
		// commit.
		c.Session.Told = tellAlert(u, l, s.AlertKey)
	}
	for _, cmd := range o.Alert {
		// An alert that is not made before it is routed may never be made.
		made := cmd.Kind != integration.AlertCreate || l.facts.Instance.Capabilities.UnroutedAlerts
		if cmd.Kind == integration.AlertResolve && c.Drop != "" {
			made = false
		}
		record.Command(u, cmd, made, view, l.facts.Destinations)
	}
	for _, h := range o.Heard {
		u.Heard = append(u.Heard, store.RecordingHeard{Ref: h.Ref, Heard: store.Heard{By: h.User, At: h.At}})
	}
	if !reflect.DeepEqual(u, &store.CallUpdate{}) {
		c.Call = u
	}
}

// tellAlert adds the alert's key, if it is new, and what its snapshot says that the story does not.
// It returns what the story has then.
func tellAlert(u *store.CallUpdate, l loaded, alertKey string) *store.Told {
	var told *store.Told
	known := ""
	if l.session != nil {
		told, known = l.session.Told, l.session.AlertKey
	}
	if alertKey != known {
		u.Alert.Key = alertKey
	}
	// A snapshot older than one whose lines the story has would add them again.
	if l.facts.Alert == nil || l.alert.Outdated(snapshots.MemoryOf(l.session)) {
		return told
	}
	return record.TellSnapshot(u, told, *l.facts.Alert, l.facts.Now)
}
