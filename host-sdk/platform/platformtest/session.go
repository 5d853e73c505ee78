package platformtest

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/internal/difference"
)

// session numbers commands as a handler does: from 1, rising, for one alert key. sent holds them
// for redelivery.
type session struct {
	*bench

	key  string
	last int64
	sent []integration.AlertCommand
}

// session is a new one, with a key that was never used: a fixture may keep its alerts.
func (b *bench) session() *session {
	var random [12]byte
	_, _ = rand.Read(random[:]) // never fails
	return &session{bench: b, key: "platformtest-" + hex.EncodeToString(random[:])}
}

// number completes a command.
func (s *session) number(cmd integration.AlertCommand) integration.AlertCommand {
	s.last++
	cmd.Number, cmd.AlertKey, cmd.At = s.last, s.key, s.Now()
	s.sent = append(s.sent, cmd)
	return cmd
}

// try applies a command and returns its error.
func (s *session) try(t *testing.T, cmd integration.AlertCommand) error {
	t.Helper()
	return s.Platform.Apply(s.ctx(t), s.Scope, s.number(cmd))
}

// apply applies a command that must succeed.
func (s *session) apply(t *testing.T, cmd integration.AlertCommand) {
	t.Helper()
	if err := s.try(t, cmd); err != nil {
		t.Fatalf("Apply(%s): %v%s", cmd.Kind, err, s.orDrop(cmd.Kind, err))
	}
}

// snapshot reads the alert, which must exist.
func (s *session) snapshot(t *testing.T) integration.AlertSnapshot {
	t.Helper()
	a, err := s.Platform.Alert(s.ctx(t), s.Scope, s.key)
	if err != nil {
		t.Fatalf("Alert: %v", err)
	}
	return a
}

// want fails unless the alert has a status; it returns the snapshot.
func (s *session) want(t *testing.T, after string, status integration.AlertStatus) integration.AlertSnapshot {
	t.Helper()
	a := s.snapshot(t)
	if a.Status != status {
		t.Fatalf("after %s the alert is %s, want %s", after, a.Status, status)
	}
	return a
}

// unchanged fails unless only LastCommand, Change and ReadAt differ from an earlier snapshot.
func (s *session) unchanged(t *testing.T, what string, before integration.AlertSnapshot) {
	t.Helper()
	if changed := differences(before, s.snapshot(t)); changed != "" {
		t.Errorf("%s changed the alert: %s", what, changed)
	}
}

// differences lists the members that two snapshots do not share, "" for none. LastCommand, Change
// and ReadAt do not count.
func differences(before, after integration.AlertSnapshot) string {
	before.LastCommand, before.Change, before.ReadAt = 0, 0, time.Time{}
	after.LastCommand, after.Change, after.ReadAt = 0, 0, time.Time{}
	var out []string
	x, y := reflect.ValueOf(before), reflect.ValueOf(after)
	for i := range x.NumField() {
		if difference.Of(x.Field(i).Interface(), y.Field(i).Interface()) != "" {
			out = append(out, fmt.Sprintf("%s was %+v, is %+v", x.Type().Field(i).Name, x.Field(i), y.Field(i)))
		}
	}
	return strings.Join(out, "; ")
}

// The commands of a session, as a call flow makes them; number completes them.
func (s *session) create() integration.AlertCommand {
	return integration.AlertCommand{Kind: integration.AlertCreate, Draft: &integration.AlertDraft{
		Title: "Call from +1 202 555 0143", Description: "A caller waits.", Urgency: "high",
		Fields: []integration.AlertField{{Label: "Caller Phone", Value: "+12025550143", Format: integration.FieldPhone}},
	}}
}

func (s *session) route(teams ...string) integration.AlertCommand {
	return integration.AlertCommand{Kind: integration.AlertRoute, Teams: teams}
}

func (s *session) acknowledge(user string) integration.AlertCommand {
	return integration.AlertCommand{Kind: integration.AlertAcknowledge, User: user, Actor: user}
}

func (s *session) decline(user string) integration.AlertCommand {
	return integration.AlertCommand{Kind: integration.AlertDecline, User: user, Actor: user}
}

func (s *session) reopen(ack string) integration.AlertCommand {
	return integration.AlertCommand{Kind: integration.AlertReopen, Ack: ack, Text: "no answer"}
}

func (s *session) escalate(a integration.AlertSnapshot) integration.AlertCommand {
	return integration.AlertCommand{Kind: integration.AlertEscalate, Layer: a.Layer, Round: a.Round, Text: "nobody could be reached"}
}

func (s *session) resolve() integration.AlertCommand {
	return integration.AlertCommand{Kind: integration.AlertResolve, Text: "the caller hung up"}
}

func (s *session) log(text string) integration.AlertCommand {
	return integration.AlertCommand{Kind: integration.AlertLog, Text: text}
}

func (s *session) field(label, value string) integration.AlertCommand {
	return integration.AlertCommand{Kind: integration.AlertAddField, Field: &integration.AlertField{Label: label, Value: value, Format: integration.FieldText}}
}

func (s *session) attach() integration.AlertCommand {
	return integration.AlertCommand{Kind: integration.AlertAttach, Label: "Voicemail", Media: &integration.MediaRef{
		Ref: "media:" + hex.EncodeToString(make([]byte, 32)), Name: "voicemail.wav", ContentType: "audio/wav", Bytes: 1234, Duration: 7 * time.Second}}
}

// open creates and routes an alert.
func (b *bench) open(t *testing.T) *session {
	t.Helper()
	s := b.session()
	s.apply(t, s.create())
	s.apply(t, s.route(b.Team))
	return s
}

// acknowledged opens an alert and acknowledges it for the first person.
func (b *bench) acknowledged(t *testing.T) (*session, integration.AlertSnapshot) {
	t.Helper()
	need(t, b.caps.AcknowledgeAs, "AcknowledgeAs")
	s := b.open(t)
	s.apply(t, s.acknowledge(b.Users[0]))
	a := s.want(t, "acknowledging", integration.AlertAcknowledged)
	if len(a.Acknowledgements) != 1 || a.Acknowledgements[0].ID == "" || a.Acknowledgements[0].At.IsZero() {
		t.Fatalf("after acknowledging the acknowledgements are %+v, want one with id and time", a.Acknowledgements)
	}
	return s, a
}
