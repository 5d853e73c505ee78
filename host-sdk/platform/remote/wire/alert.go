package wire

import (
	"fmt"
	"slices"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
)

// AlertSnapshot is an alert as the platform knows it now. It has no time of reading: two machines'
// clocks say nothing about order, LastCommand and Change do. Members without omitempty are required
// by the document, also where they are empty.
type AlertSnapshot struct {
	Key              string            `json:"key"`
	ID               string            `json:"id"`
	URL              string            `json:"url,omitempty"`
	Status           string            `json:"status"`
	Teams            []string          `json:"teams"`
	Layer            int               `json:"layer"`
	Round            int               `json:"round"`
	Acknowledgements []Acknowledgement `json:"acknowledgements"`
	Declined         []string          `json:"declined,omitempty"`
	LastCommand      int64             `json:"last_command"`
	Unpaged          string            `json:"unpaged,omitempty"`
	// Change only grows while the alert exists, by at least one with each change; 0: the platform
	// does not count.
	Change int64 `json:"change,omitempty"`
}

// Acknowledgement is one person (or automation) saying "mine". Command says whose it is: a command
// of ours, or 0 for anybody else.
type Acknowledgement struct {
	ID      string    `json:"id"`
	User    string    `json:"user,omitempty"`
	At      time.Time `json:"at"`
	Command int64     `json:"command,omitempty"`
}

var statuses = []integration.AlertStatus{
	integration.AlertQueued, integration.AlertOpen, integration.AlertAcknowledged,
	integration.AlertResolved, integration.AlertDropped, integration.AlertDeleted,
}

// Contract returns the contract's snapshot as read at a time of the host's clock. An
// acknowledgement is never later than that. The error names the member that cannot be.
func (s AlertSnapshot) Contract(readAt time.Time) (integration.AlertSnapshot, error) {
	out := integration.AlertSnapshot{
		Key: s.Key, ID: s.ID, URL: s.URL, Status: integration.AlertStatus(s.Status), Teams: s.Teams,
		Layer: s.Layer, Round: s.Round, Declined: s.Declined, LastCommand: s.LastCommand, Unpaged: s.Unpaged, Change: s.Change, ReadAt: readAt,
	}
	switch {
	case s.ID == "":
		return out, fmt.Errorf("id is missing")
	case !slices.Contains(statuses, out.Status):
		return out, fmt.Errorf("status %.40q is none of %v", s.Status, statuses)
	case s.Layer < 0 || s.Round < 0 || s.LastCommand < 0 || s.Change < 0:
		return out, fmt.Errorf("layer, round, last_command and change are never below 0")
	}
	seen := map[string]bool{}
	for _, a := range s.Acknowledgements {
		if a.ID == "" || seen[a.ID] {
			return out, fmt.Errorf("acknowledgements: each needs an id of its own, one has %.80q", a.ID)
		}
		seen[a.ID] = true
		// The platform's clock may be ahead of ours; an acknowledgement from the future would count
		// as newer than what follows.
		if a.At.After(readAt) {
			a.At = readAt
		}
		out.Acknowledgements = append(out.Acknowledgements, integration.Acknowledgement{ID: a.ID, User: a.User, At: a.At, Command: a.Command})
	}
	return out, nil
}

// FromSnapshot is for platforms written in Go. Lists that the document requires are written as []
// where they are empty.
func FromSnapshot(a integration.AlertSnapshot) AlertSnapshot {
	out := AlertSnapshot{
		Key: a.Key, ID: a.ID, URL: a.URL, Status: string(a.Status), Teams: list(a.Teams), Layer: a.Layer, Round: a.Round,
		Acknowledgements: []Acknowledgement{}, Declined: a.Declined, LastCommand: a.LastCommand, Unpaged: a.Unpaged, Change: a.Change,
	}
	for _, k := range a.Acknowledgements {
		out.Acknowledgements = append(out.Acknowledgements, Acknowledgement{ID: k.ID, User: k.User, At: k.At.UTC(), Command: k.Command})
	}
	return out
}

// list returns a list that is written as [] where there is none.
func list[T any](in []T) []T {
	if in == nil {
		return []T{}
	}
	return in
}

// AlertCommand is the body of a command. Its number and the alert's key are in the path.
type AlertCommand struct {
	Kind  string      `json:"kind"`
	At    time.Time   `json:"at,omitzero"`
	Actor string      `json:"actor,omitempty"`
	Text  string      `json:"text,omitempty"`
	Draft *AlertDraft `json:"draft,omitempty"`
	Teams []string    `json:"teams,omitempty"`
	Field *AlertField `json:"field,omitempty"`
	Media *MediaRef   `json:"media,omitempty"`
	Label string      `json:"label,omitempty"`
	User  string      `json:"user,omitempty"`
	Ack   string      `json:"ack,omitempty"`
	Layer int         `json:"layer,omitempty"`
	Round int         `json:"round,omitempty"`
}

// AlertDraft is a new alert.
type AlertDraft struct {
	Title       string       `json:"title"`
	SpokenTitle string       `json:"spoken_title,omitempty"`
	Description string       `json:"description,omitempty"`
	Urgency     string       `json:"urgency,omitempty"`
	Fields      []AlertField `json:"fields"`
}

// AlertField is a labelled value on an alert.
type AlertField struct {
	Label  string `json:"label"`
	Value  string `json:"value"`
	Format string `json:"format,omitempty"`
}

// MediaRef names a medium that the host keeps, and where the platform can fetch it.
type MediaRef struct {
	Ref             string  `json:"ref"`
	Name            string  `json:"name,omitempty"`
	ContentType     string  `json:"content_type,omitempty"`
	Bytes           int64   `json:"bytes,omitempty"`
	DurationSeconds float64 `json:"duration_seconds,omitempty"` // 0: unknown
	URL             string  `json:"url,omitempty"`              // good for 24 h
}

// FromCommand returns a command with only those members that its kind has. mediaURL is where the
// platform can fetch the command's medium. The contract's Event is not sent: protocol 1 has no
// member for it, so a platform gets the log's line alone (docs/platforms.md).
func FromCommand(cmd integration.AlertCommand, mediaURL string) AlertCommand {
	out := AlertCommand{Kind: string(cmd.Kind), At: cmd.At.UTC(), Actor: cmd.Actor, Text: cmd.Text}
	switch cmd.Kind {
	case integration.AlertCreate:
		out.Draft = fromDraft(cmd.Draft)
	case integration.AlertRoute:
		out.Teams = cmd.Teams
	case integration.AlertAddField:
		if cmd.Field != nil {
			f := fromField(*cmd.Field)
			out.Field = &f
		}
	case integration.AlertAttach:
		out.Media, out.Label = fromMedia(cmd.Media, mediaURL), cmd.Label
	case integration.AlertAcknowledge, integration.AlertDecline:
		out.User = cmd.User
	case integration.AlertReopen:
		out.Ack = cmd.Ack
	case integration.AlertEscalate:
		out.Layer, out.Round = cmd.Layer, cmd.Round
	case integration.AlertLog, integration.AlertResolve:
	}
	return out
}

// fromDraft writes an empty list of fields as one, so that a platform need not look for null.
func fromDraft(d *integration.AlertDraft) *AlertDraft {
	if d == nil {
		return nil
	}
	out := &AlertDraft{Title: d.Title, SpokenTitle: d.SpokenTitle, Description: d.Description, Urgency: d.Urgency, Fields: []AlertField{}}
	for _, f := range d.Fields {
		out.Fields = append(out.Fields, fromField(f))
	}
	return out
}

func fromField(f integration.AlertField) AlertField {
	return AlertField{Label: f.Label, Value: f.Value, Format: string(f.Format)}
}

// The address is sent only here: a command that is stored keeps the reference, as an address would
// be too old by then.
func fromMedia(m *integration.MediaRef, url string) *MediaRef {
	if m == nil {
		return nil
	}
	return &MediaRef{Ref: m.Ref, Name: m.Name, ContentType: m.ContentType, Bytes: m.Bytes, DurationSeconds: m.Duration.Seconds(), URL: url}
}

// Contract returns the contract's command of an alert's key and number, for platforms written in
// Go. The key and the number come from the path.
func (c AlertCommand) Contract(key string, number int64) integration.AlertCommand {
	out := integration.AlertCommand{
		Number: number, Kind: integration.AlertCommandKind(c.Kind), AlertKey: key, Teams: c.Teams, Text: c.Text, Actor: c.Actor,
		Label: c.Label, User: c.User, Ack: c.Ack, Layer: c.Layer, Round: c.Round, At: c.At,
	}
	if d := c.Draft; d != nil {
		out.Draft = &integration.AlertDraft{Title: d.Title, SpokenTitle: d.SpokenTitle, Description: d.Description, Urgency: d.Urgency}
		for _, f := range d.Fields {
			out.Draft.Fields = append(out.Draft.Fields, f.contract())
		}
	}
	if c.Field != nil {
		f := c.Field.contract()
		out.Field = &f
	}
	if m := c.Media; m != nil {
		out.Media = &integration.MediaRef{Ref: m.Ref, Name: m.Name, ContentType: m.ContentType, Bytes: m.Bytes, Duration: time.Duration(m.DurationSeconds * float64(time.Second))}
	}
	return out
}

func (f AlertField) contract() integration.AlertField {
	return integration.AlertField{Label: f.Label, Value: f.Value, Format: integration.FieldFormat(f.Format)}
}
