package calls

import (
	"context"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/api/apikit"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/people"
	"github.com/livecallrouting/livecall/host-sdk/engine"
	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// Engine is what the operations need of *engine.Engine.
type Engine interface {
	Subscribe() (<-chan engine.Event, func())
	DeleteRecording(ctx context.Context, integrationID, key, ref string, d store.Deletion) error
	DeleteCall(ctx context.Context, integrationID, key string, d store.Deletion) error
	DeleteAlert(ctx context.Context, integrationID, alertKey string) error
	Forget(ctx context.Context, number string, d store.Deletion) (engine.Forgotten, error)
}

// Config is what the operations are made of, as in the configuration of the API.
type Config struct {
	apikit.Common

	Engine       Engine
	PlatformPage string          // where the platform shows its alerts; "": it is not known
	Closing      context.Context // event streams end with it; nil: with their clients alone
}

// Operations are those of this package. They are safe for concurrent use; streams has a lock of its
// own.
type Operations struct {
	Config

	browser platform.AlertBrowser // nil: the platform shows its alerts itself
	streams streams
}

// New makes the operations.
func New(cfg Config) *Operations {
	o := &Operations{Config: cfg}
	o.browser, _ = cfg.Platform.(platform.AlertBrowser)
	if o.Closing == nil {
		o.Closing = context.Background()
	}
	return o
}

// Routes lists the operations. That a recording was heard is audited by its handler.
func (o *Operations) Routes() []apikit.Route {
	return []apikit.Route{
		apikit.Quiet("GET", "/media/{ref}", people.Hear, o.getMedium),
		apikit.Quiet("GET", "/alerts", people.Look, o.listAlerts),
		apikit.Quiet("GET", "/alerts/{id}", people.SeeAlert, o.getAlert),
		apikit.Quiet("POST", "/alerts/{id}/acknowledge", people.TakeAlert, o.actOnAlert(platform.ActAcknowledge)),
		apikit.Quiet("POST", "/alerts/{id}/reject", people.TakeAlert, o.actOnAlert(platform.ActReject)),
		apikit.Quiet("POST", "/alerts/{id}/escalate", people.Respond, o.actOnAlert(platform.ActEscalate)),
		apikit.Quiet("POST", "/alerts/{id}/resolve", people.Respond, o.actOnAlert(platform.ActResolve)),
		apikit.Quiet("GET", "/calls", people.Look, o.listCalls),
		apikit.Quiet("GET", "/calls.csv", people.Look, o.exportCalls),
		apikit.Quiet("GET", "/calls/{sid}", people.Look, o.getCall),
		apikit.Audited("DELETE", "/calls/{sid}", people.Erase, o.deleteCall, "call.delete", "sid"),
		apikit.Audited("POST", "/calls/{sid}/notes", people.Respond, o.addNote, "note.add", "sid"),
		apikit.Audited("DELETE", "/calls/{sid}/notes/{note}", people.Respond, o.deleteNote, "note.delete", "sid"),
		apikit.Quiet("POST", "/calls/{sid}/recordings/{ref}/heard", people.Hear, o.markHeard),
		apikit.Audited("DELETE", "/recordings/{ref}", people.Erase, o.deleteRecording, "recording.delete", "ref"),
		apikit.Audited("DELETE", "/alerts/{id}", people.Erase, o.deleteAlert, "alert.delete", "id"),
		apikit.Audited("POST", "/forget", people.Erase, o.forget, "caller.forget", ""),
		apikit.Quiet("GET", "/erasures", people.Erase, o.listErasures),
		apikit.Quiet("GET", "/events", people.Look, o.streamEvents),
	}
}
