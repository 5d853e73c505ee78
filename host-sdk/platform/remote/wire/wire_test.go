package wire_test

import (
	"encoding/json"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/platform/remote/wire"
)

// A field that is added to the contract must be added here, or be listed with the reason why it
// does not cross.
func TestEveryFieldOfTheContractCrosses(t *testing.T) {
	t.Parallel()
	for _, pair := range []struct {
		contract, wire any
		stays          []string // in the contract only
		added          []string // on the wire only
	}{
		// Clocks say nothing about order.
		{integration.AlertSnapshot{}, wire.AlertSnapshot{}, []string{"ReadAt"}, nil},
		{integration.Acknowledgement{}, wire.Acknowledgement{}, nil, nil},
		// In the path; channels are the own platform's.
		{integration.AlertCommand{}, wire.AlertCommand{}, []string{"Number", "AlertKey", "Event"}, nil},
		{integration.AlertDraft{}, wire.AlertDraft{}, nil, nil},
		{integration.AlertField{}, wire.AlertField{}, nil, nil},
		{integration.MediaRef{}, wire.MediaRef{}, []string{"Duration"}, []string{"DurationSeconds", "URL"}},
		// The host's own.
		{integration.Capabilities{}, wire.Capabilities{}, []string{"CallMedia", "Mail"}, nil},
		{integration.Destination{}, wire.Destination{}, nil, nil},
		{integration.OnCallEntry{}, wire.OnCallEntry{}, nil, nil},
		// The host's own.
		{integration.User{}, wire.User{}, []string{"OccupiedBy", "OccupiedHow", "AwaitedBy"}, nil},
		{integration.RouteVerdict{}, wire.RouteVerdict{}, nil, nil},
		{platform.Ref{}, wire.Ref{}, nil, nil},
	} {
		ours, theirs := fields(pair.contract), fields(pair.wire)
		if diff := cmp.Diff(slices.DeleteFunc(ours, in(pair.stays)), slices.DeleteFunc(theirs, in(pair.added))); diff != "" {
			t.Errorf("fields of %T and %T differ (-contract +wire):\n%s", pair.contract, pair.wire, diff)
		}
	}
}

func in(list []string) func(string) bool {
	return func(s string) bool { return slices.Contains(list, s) }
}

func fields(of any) []string {
	var out []string
	for f := range reflect.TypeOf(of).Fields() {
		out = append(out, f.Name)
	}
	slices.Sort(out)
	return out
}

var capital = regexp.MustCompile(`([a-z])([A-Z])`)

// Every member has an explicit name: the field's in snake_case.
func TestMembersAreNamedInSnakeCase(t *testing.T) {
	t.Parallel()
	for _, of := range []any{
		wire.AlertSnapshot{}, wire.Acknowledgement{}, wire.AlertCommand{}, wire.AlertDraft{}, wire.AlertField{}, wire.MediaRef{},
		wire.Capabilities{}, wire.Ref{}, wire.Destination{}, wire.OnCallEntry{}, wire.OnCallAnswer{}, wire.User{}, wire.RouteQuestion{},
		wire.RouteVerdict{}, wire.AudienceQuestion{}, wire.AudienceAnswer{}, wire.Protocol{}, wire.Limits{}, wire.Problem{}, wire.Event{},
		wire.EventData{}, wire.AlertRef{}, wire.Changes{}, wire.TeamsAnswer{}, wire.DestinationsAnswer{}, wire.DestinationsQuestion{},
	} {
		for f := range reflect.TypeOf(of).Fields() {
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			if want := strings.ToLower(capital.ReplaceAllString(f.Name, "${1}_$2")); name != want {
				t.Errorf("%T.%s is called %q on the wire, want %q", of, f.Name, name, want)
			}
		}
	}
}

// fill sets everything within a value to something that is not zero.
func fill(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem())
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0))
	case reflect.String:
		v.SetString(v.Type().Name() + " x")
	case reflect.Int, reflect.Int64:
		v.SetInt(int64(3 * time.Second))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			v.Set(reflect.ValueOf(time.Date(2026, 1, 5, 9, 0, 0, 5, time.UTC)))
			return
		}
		for i := range v.NumField() {
			fill(v.Field(i))
		}
	default:
		panic(v.Kind())
	}
}

func filled[T any](change func(*T)) T {
	var out T
	fill(reflect.ValueOf(&out).Elem())
	change(&out)
	return out
}

func through[T any](t *testing.T, in T) (out T) {
	t.Helper()
	text, err := json.Marshal(in)
	if err == nil {
		err = json.Unmarshal(text, &out)
	}
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestConversionsLoseNothing(t *testing.T) {
	t.Parallel()
	same := func(name string, want, got any, err error) {
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%s: %v (-sent +read):\n%s", name, err, diff)
		}
	}
	snapshot := filled(func(a *integration.AlertSnapshot) { a.Status = integration.AlertOpen })
	got, err := through(t, wire.FromSnapshot(snapshot)).Contract(snapshot.ReadAt)
	same("snapshot", snapshot, got, err)
	caps := filled(func(c *integration.Capabilities) { c.Mail, c.CallMedia = false, false })
	same("capabilities", caps, through(t, wire.FromCapabilities(caps)).Contract(), nil)
	entry := filled(func(e *integration.OnCallEntry) {
		e.User.OccupiedBy, e.User.OccupiedHow, e.User.AwaitedBy = "", "", nil
	})
	gotEntry, err := through(t, wire.FromOnCall(entry)).Contract()
	same("on call", entry, gotEntry, err)
	verdict := filled(func(v *integration.RouteVerdict) {
		v.Receivers[0].Kind, v.Default[0].Kind = integration.DestinationTeam, integration.DestinationRouter
	})
	gotVerdict, err := through(t, wire.FromVerdict(verdict)).Contract()
	same("verdict", verdict, gotVerdict, err)
}

// members lists which fields belong to a kind, beside those that all have.
var members = map[integration.AlertCommandKind][]string{
	integration.AlertCreate: {"Draft"}, integration.AlertRoute: {"Teams"}, integration.AlertLog: nil,
	integration.AlertAddField: {"Field"}, integration.AlertAttach: {"Media", "Label"}, integration.AlertAcknowledge: {"User"},
	integration.AlertReopen: {"Ack"}, integration.AlertDecline: {"User"}, integration.AlertEscalate: {"Layer", "Round"}, integration.AlertResolve: nil,
}

func TestACommandHasTheMembersOfItsKindOnly(t *testing.T) {
	t.Parallel()
	for kind, has := range members {
		sent := filled(func(c *integration.AlertCommand) { c.Kind = kind })
		want := sent
		for i, f := range slices.Collect(reflect.TypeOf(want).Fields()) {
			if !slices.Contains(append([]string{"Number", "Kind", "AlertKey", "At", "Actor", "Text"}, has...), f.Name) {
				reflect.ValueOf(&want).Elem().Field(i).SetZero()
			}
		}
		if diff := cmp.Diff(want, through(t, wire.FromCommand(sent, "")).Contract(sent.AlertKey, sent.Number)); diff != "" {
			t.Errorf("%s (-sent +read):\n%s", kind, diff)
		}
	}
}

func TestASnapshotThatCannotBeIsRefusedByMember(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)
	for member, text := range map[string]string{
		"id":               `{"key":"k","status":"open"}`,
		"status":           `{"key":"k","id":"1","status":"triggered"}`,
		"last_command":     `{"key":"k","id":"1","status":"open","last_command":-1}`,
		"acknowledgements": `{"key":"k","id":"1","status":"open","acknowledgements":[{"user":"a"}]}`,
		"one has \"1\"":    `{"key":"k","id":"1","status":"open","acknowledgements":[{"id":"1"},{"id":"1"}]}`,
	} {
		var s wire.AlertSnapshot
		if err := json.Unmarshal([]byte(text), &s); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Contract(now); err == nil || !strings.Contains(err.Error(), member) {
			t.Errorf("%s: %v, want an error that names %s", text, err, member)
		}
	}
	s := wire.AlertSnapshot{ID: "1", Status: "open", Acknowledgements: []wire.Acknowledgement{{ID: "a", At: now.Add(time.Hour)}}}
	if a, err := s.Contract(now); err != nil || !a.Acknowledgements[0].At.Equal(now) {
		t.Errorf("an acknowledgement from the future is at %v, %v, want the time of reading", a.Acknowledgements, err)
	}
}
