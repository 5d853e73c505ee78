package wire

import (
	"github.com/livecallrouting/livecall/host-sdk/integration"
	pb "github.com/livecallrouting/livecall/host-sdk/internal/pb/livecall/v1"
)

// snapshotToPB is part of a tick, so it takes its message from m. The host sends it; a plugin only
// reads it.
func snapshotToPB(m *messages, a *integration.AlertSnapshot) *pb.AlertSnapshot {
	p := m.snapshots.next()
	p.Key = a.Key
	p.Id = a.ID
	p.Url = a.URL
	p.Status = string(a.Status)
	p.Teams = a.Teams
	p.Layer = int64(a.Layer)
	p.Round = int64(a.Round)
	p.Acknowledgements = each(a.Acknowledgements, acknowledgementToPB)
	p.LastCommand = a.LastCommand
	p.ReadAt = m.time(a.ReadAt)
	p.Declined = a.Declined
	p.Unpaged = a.Unpaged
	p.Change = a.Change
	return p
}

// snapshotFromPB leaves a status that this release does not know as it is: a handler treats it as
// none of those it knows.
func snapshotFromPB(a *pb.AlertSnapshot) integration.AlertSnapshot {
	return integration.AlertSnapshot{
		Key:              a.GetKey(),
		ID:               a.GetId(),
		URL:              a.GetUrl(),
		Status:           integration.AlertStatus(a.GetStatus()),
		Teams:            a.GetTeams(),
		Layer:            int(a.GetLayer()),
		Round:            int(a.GetRound()),
		Acknowledgements: each(a.GetAcknowledgements(), acknowledgementFromPB),
		LastCommand:      a.GetLastCommand(),
		ReadAt:           timeFromPB(a.GetReadAt()),
		Declined:         a.GetDeclined(),
		Unpaged:          a.GetUnpaged(),
		Change:           a.GetChange(),
	}
}

// acknowledgementToPB keeps the id, by which a handler treats each acknowledgement once.
func acknowledgementToPB(a integration.Acknowledgement) *pb.Acknowledgement {
	return &pb.Acknowledgement{Id: a.ID, User: a.User, At: timeToPB(a.At), Command: a.Command}
}

func acknowledgementFromPB(a *pb.Acknowledgement) integration.Acknowledgement {
	return integration.Acknowledgement{ID: a.GetId(), User: a.GetUser(), At: timeFromPB(a.GetAt()), Command: a.GetCommand()}
}

// commandToPB carries the fields of all kinds of commands; those that a kind does not use are
// absent. The plugin sends commands in an outcome, the host sends one back when it has finally
// failed.
func commandToPB(c integration.AlertCommand) *pb.AlertCommand {
	return &pb.AlertCommand{
		Number:   c.Number,
		Kind:     string(c.Kind),
		AlertKey: c.AlertKey,
		Draft:    opt(c.Draft, draftToPB),
		Teams:    c.Teams,
		Text:     c.Text,
		Actor:    c.Actor,
		Field:    opt(c.Field, fieldToPB),
		Media:    opt(c.Media, mediaRefToPB),
		Label:    c.Label,
		User:     c.User,
		Ack:      c.Ack,
		Layer:    int64(c.Layer),
		Round:    int64(c.Round),
		At:       timeToPB(c.At),
		Event:    c.Event,
	}
}

// commandFromPB leaves a kind that this release does not know as it is: the platform answers that
// it does not offer it.
func commandFromPB(c *pb.AlertCommand) integration.AlertCommand {
	return integration.AlertCommand{
		Number:   c.GetNumber(),
		Kind:     integration.AlertCommandKind(c.GetKind()),
		AlertKey: c.GetAlertKey(),
		Draft:    optFrom(c.GetDraft(), draftFromPB),
		Teams:    c.GetTeams(),
		Text:     c.GetText(),
		Actor:    c.GetActor(),
		Field:    optFrom(c.GetField(), fieldFromPB),
		Media:    optFrom(c.GetMedia(), mediaRefFromPB),
		Label:    c.GetLabel(),
		User:     c.GetUser(),
		Ack:      c.GetAck(),
		Layer:    int(c.GetLayer()),
		Round:    int(c.GetRound()),
		At:       timeFromPB(c.GetAt()),
		Event:    c.GetEvent(),
	}
}

// draftToPB is for create alone.
func draftToPB(d integration.AlertDraft) *pb.AlertDraft {
	return &pb.AlertDraft{
		Title:       d.Title,
		SpokenTitle: d.SpokenTitle,
		Description: d.Description,
		Urgency:     d.Urgency,
		Fields:      each(d.Fields, fieldToPB),
	}
}

// An absent list of fields is an alert without any.
func draftFromPB(d *pb.AlertDraft) integration.AlertDraft {
	return integration.AlertDraft{
		Title:       d.GetTitle(),
		SpokenTitle: d.GetSpokenTitle(),
		Description: d.GetDescription(),
		Urgency:     d.GetUrgency(),
		Fields:      each(d.GetFields(), fieldFromPB),
	}
}

// fieldToPB is of drafts and of the command add_field.
func fieldToPB(f integration.AlertField) *pb.AlertField {
	return &pb.AlertField{Label: f.Label, Value: f.Value, Format: string(f.Format)}
}

func fieldFromPB(f *pb.AlertField) integration.AlertField {
	return integration.AlertField{
		Label:  f.GetLabel(),
		Value:  f.GetValue(),
		Format: integration.FieldFormat(f.GetFormat()),
	}
}

// mediaRefToPB carries the name of a medium, never its bytes: those cross once, as
// [mediaContentToPB].
func mediaRefToPB(m integration.MediaRef) *pb.MediaRef {
	return &pb.MediaRef{
		Ref:         m.Ref,
		Name:        m.Name,
		ContentType: m.ContentType,
		Bytes:       m.Bytes,
		Duration:    durationToPB(m.Duration),
	}
}

// A duration that is absent is not known.
func mediaRefFromPB(m *pb.MediaRef) integration.MediaRef {
	return integration.MediaRef{
		Ref:         m.GetRef(),
		Name:        m.GetName(),
		ContentType: m.GetContentType(),
		Bytes:       m.GetBytes(),
		Duration:    durationFromPB(m.GetDuration()),
	}
}
