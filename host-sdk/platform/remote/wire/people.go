package wire

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
)

// Capabilities says what the platform can do; what is absent it cannot. Whether mail can be sent is
// the host's own affair and not asked. Nor are a call's media, which the host keeps.
type Capabilities struct {
	UnroutedAlerts     bool `json:"unrouted_alerts"`
	Reopen             bool `json:"reopen"`
	Escalate           bool `json:"escalate"`
	AcknowledgeAs      bool `json:"acknowledge_as"`
	AcknowledgedByUser bool `json:"acknowledged_by_user"`
	Annotations        bool `json:"annotations"`
	Routers            bool `json:"routers"`
	PagesByItself      bool `json:"pages_by_itself"`
	Audiences          bool `json:"audiences"`
	Notifies           bool `json:"notifies"`
}

// Contract returns the contract's value.
func (c Capabilities) Contract() integration.Capabilities {
	return integration.Capabilities{
		UnroutedAlerts: c.UnroutedAlerts, Reopen: c.Reopen, Escalate: c.Escalate, AcknowledgeAs: c.AcknowledgeAs,
		AcknowledgedByUser: c.AcknowledgedByUser, Annotations: c.Annotations, Routers: c.Routers,
		PagesByItself: c.PagesByItself, Audiences: c.Audiences, Notifies: c.Notifies,
	}
}

// FromCapabilities is for platforms written in Go.
func FromCapabilities(c integration.Capabilities) Capabilities {
	return Capabilities{
		UnroutedAlerts: c.UnroutedAlerts, Reopen: c.Reopen, Escalate: c.Escalate, AcknowledgeAs: c.AcknowledgeAs,
		AcknowledgedByUser: c.AcknowledgedByUser, Annotations: c.Annotations, Routers: c.Routers,
		PagesByItself: c.PagesByItself, Audiences: c.Audiences, Notifies: c.Notifies,
	}
}

// Ref names a destination.
type Ref struct {
	Kind string `json:"kind"`
	ID   string `json:"id"`
}

// DestinationsQuestion asks for destinations by reference.
type DestinationsQuestion struct {
	Refs []Ref `json:"refs"`
}

// DestinationsAnswer has one destination for each reference, in their order. One that is gone is in
// it too, with missing set, so that the host can tell it from one that was left out by mistake.
type DestinationsAnswer struct {
	Destinations []Destination `json:"destinations"`
}

// TeamsAnswer has all teams.
type TeamsAnswer struct {
	Teams []Destination `json:"teams"`
}

// Destination is a team or a router.
type Destination struct {
	Kind    string `json:"kind"`
	ID      string `json:"id"`
	Name    string `json:"name"`
	Missing bool   `json:"missing"`
}

// Contract returns the contract's value. The error names the member that cannot be.
func (d Destination) Contract() (integration.Destination, error) {
	out := integration.Destination{Kind: integration.DestinationKind(d.Kind), ID: d.ID, Name: d.Name, Missing: d.Missing}
	switch {
	case out.Kind != integration.DestinationTeam && out.Kind != integration.DestinationRouter:
		return out, fmt.Errorf("kind %.40q is neither team nor router", d.Kind)
	case d.ID == "":
		return out, fmt.Errorf("id of %.80q is missing", d.Name)
	// The name of what is gone may be gone with it.
	case d.Name == "" && !d.Missing:
		return out, fmt.Errorf("name of %s %.80q is missing: callers hear it", d.Kind, d.ID)
	}
	return out, nil
}

// FromDestination is for platforms written in Go.
func FromDestination(d integration.Destination) Destination {
	return Destination{Kind: string(d.Kind), ID: d.ID, Name: d.Name, Missing: d.Missing}
}

// OnCallAnswer has who is on call, by layer and then in the order in which to call them.
type OnCallAnswer struct {
	OnCall []OnCallEntry `json:"on_call"`
}

// OnCallEntry is one person on call for a layer of a team.
type OnCallEntry struct {
	Layer int  `json:"layer"`
	User  User `json:"user"`
}

// Contract returns the contract's value. The error names the member that cannot be.
func (e OnCallEntry) Contract() (integration.OnCallEntry, error) {
	user, err := e.User.Contract()
	if err == nil && e.Layer < 1 {
		err = fmt.Errorf("layer of %.80q is %d: layers count from 1", e.User.ID, e.Layer)
	}
	return integration.OnCallEntry{Layer: e.Layer, User: user}, err
}

// FromOnCall is for platforms written in Go.
func FromOnCall(e integration.OnCallEntry) OnCallEntry {
	return OnCallEntry{Layer: e.Layer, User: FromUser(e.User)}
}

// User is a person.
type User struct {
	ID     string   `json:"id"`
	Name   string   `json:"name"`
	Email  string   `json:"email,omitempty"`
	Phones []string `json:"phones"`
}

// Contract returns the contract's value. The error names the member that cannot be.
func (u User) Contract() (integration.User, error) {
	if u.ID == "" {
		return integration.User{}, fmt.Errorf("id of user %.80q is missing", u.Name)
	}
	return integration.User{ID: u.ID, Name: u.Name, Email: u.Email, Phones: u.Phones}, nil
}

// FromUser is for platforms written in Go.
func FromUser(u integration.User) User {
	return User{ID: u.ID, Name: u.Name, Email: u.Email, Phones: list(u.Phones)}
}

// RouteQuestion asks a router for its verdict. Facts are what the rules see, as they came from the
// plugin: the host does not look inside.
type RouteQuestion struct {
	Facts json.RawMessage `json:"facts"`
	At    time.Time       `json:"at"`
}

// RouteVerdict is a router's verdict.
type RouteVerdict struct {
	Receivers []Destination `json:"receivers"`
	Default   []Destination `json:"default"`
	Notes     []string      `json:"notes"`
	Trace     []string      `json:"trace"`
}

// Contract returns the contract's value. The error names the member that cannot be.
func (v RouteVerdict) Contract() (integration.RouteVerdict, error) {
	out := integration.RouteVerdict{Notes: v.Notes, Trace: v.Trace}
	var err error
	if out.Receivers, err = Destinations(v.Receivers); err != nil {
		return out, fmt.Errorf("receivers: %w", err)
	}
	if out.Default, err = Destinations(v.Default); err != nil {
		return out, fmt.Errorf("default: %w", err)
	}
	return out, nil
}

// Destinations converts a list. One that cannot be makes all of them an error: a list with a hole
// would be taken for whole.
func Destinations(in []Destination) ([]integration.Destination, error) {
	var out []integration.Destination
	for _, d := range in {
		c, err := d.Contract()
		if err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	return out, nil
}

// FromVerdict is for platforms written in Go. All lists are written, as the document wants them.
func FromVerdict(v integration.RouteVerdict) RouteVerdict {
	out := RouteVerdict{Receivers: []Destination{}, Default: []Destination{}, Notes: list(v.Notes), Trace: list(v.Trace)}
	for _, d := range v.Receivers {
		out.Receivers = append(out.Receivers, FromDestination(d))
	}
	for _, d := range v.Default {
		out.Default = append(out.Default, FromDestination(d))
	}
	return out
}

// AudienceQuestion asks for a group's e-mail addresses.
type AudienceQuestion struct {
	Audience string    `json:"audience"`
	Teams    []string  `json:"teams"`
	At       time.Time `json:"at"`
}

// AudienceAnswer has the addresses.
type AudienceAnswer struct {
	Emails []string `json:"emails"`
}
