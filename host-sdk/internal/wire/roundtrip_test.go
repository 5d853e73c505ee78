package wire

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/test/bufconn"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"github.com/livecallrouting/livecall/host-sdk/integration"
)

// A carrier takes a value of the contract to bytes and back.
type carrier struct {
	name  string
	value reflect.Type
	carry func(v any) (any, error)
}

func carry[T any, M proto.Message](to func(T) M, from func(M) T) carrier {
	var zero T
	return carrier{
		name:  reflect.TypeOf(zero).Name(),
		value: reflect.TypeOf(zero),
		carry: func(v any) (any, error) {
			sent := to(v.(T))
			makeValidText(sent)
			data, err := proto.Marshal(sent)
			if err != nil {
				return nil, err
			}
			received := sent.ProtoReflect().New().Interface()
			if err := proto.Unmarshal(data, received); err != nil {
				return nil, err
			}
			return from(received.(M)), nil
		},
	}
}

// fresh is how a client makes a request, without messages of earlier ones.
func fresh[T any, M proto.Message](to func(*messages, T) M) func(T) M {
	return func(v T) M { return to(new(messages), v) }
}

// carriers are the arguments and results of every method: what is below them is reached through
// them.
var carriers = []carrier{
	carry(fresh(describeRequestToPB), describeRequestFromPB),
	carry(describeResponseToPB, describeResponseFromPB),
	carry(fresh(optionsSchemaRequestToPB), optionsSchemaRequestFromPB),
	carry(optionsSchemaToPB, optionsSchemaFromPB),
	carry(fresh(validateRequestToPB), validateRequestFromPB),
	carry(validateResponseToPB, validateResponseFromPB),
	carry(fresh(webhookRequestToPB), webhookRequestFromPB),
	carry(webhookResponseToPB, webhookResponseFromPB),
	carry(fresh(alertRequestToPB), alertRequestFromPB),
	carry(alertResponseToPB, alertResponseFromPB),
	carry(fresh(taskRequestToPB), taskRequestFromPB),
	carry(taskResponseToPB, taskResponseFromPB),
	carry(fresh(performRequestToPB), performRequestFromPB),
	carry(taskResultToPB, taskResultFromPB),
	carry(fresh(actionRequestToPB), actionRequestFromPB),
	carry(actionResultToPB, actionResultFromPB),
}

// ignoreCauses: an error's cause belongs to one process.
var ignoreCauses = cmpopts.IgnoreFields(integration.Error{}, "Err")

// TestEveryMethodIsCarried holds the list above together with the interface.
func TestEveryMethodIsCarried(t *testing.T) {
	t.Parallel()
	known := map[reflect.Type]bool{}
	for _, c := range carriers {
		known[c.value] = true
	}
	methods := reflect.TypeFor[integration.Integration]()
	for i := range methods.NumMethod() {
		m := methods.Method(i)
		for _, typ := range []reflect.Type{m.Type.In(1), m.Type.Out(0)} {
			if !known[typ] {
				t.Errorf("%s: %s is not carried by a test", m.Name, typ)
			}
		}
	}
}

// TestNoFieldIsLost fills every field, however deep, and looks for one that did not arrive.
func TestNoFieldIsLost(t *testing.T) {
	t.Parallel()
	for _, c := range carriers {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			want := fill(c.value)
			if where := firstZero(want, c.name); where != "" && c.value.NumField() > 0 {
				t.Fatalf("the test does not fill %s", where)
			}
			got, err := c.carry(want.Interface())
			if err != nil {
				t.Fatal(err)
			}
			if where := firstZero(reflect.ValueOf(got), c.name); where != "" {
				t.Errorf("%s was lost on the wire", where)
			}
			if diff := cmp.Diff(want.Interface(), got, ignoreCauses); diff != "" {
				t.Errorf("changed on the wire (-sent +received):\n%s", diff)
			}
		})
	}
}

// TestEachFieldAlone sends values in which a single field is set: nothing leaks into another one.
func TestEachFieldAlone(t *testing.T) {
	t.Parallel()
	for _, c := range carriers {
		t.Run(c.name+"/zero", func(t *testing.T) { t.Parallel(); same(t, c, reflect.New(c.value).Elem()) })
		for i := range c.value.NumField() {
			t.Run(c.name+"/"+c.value.Field(i).Name, func(t *testing.T) {
				t.Parallel()
				v := reflect.New(c.value).Elem()
				v.Field(i).Set(fill(c.value.Field(i).Type))
				same(t, c, v)
				// And the same with one field of that field alone.
				inner := v.Field(i).Type()
				if inner.Kind() != reflect.Struct || inner == timeType {
					return
				}
				for j := range inner.NumField() {
					v := reflect.New(c.value).Elem()
					v.Field(i).Field(j).Set(fill(inner.Field(j).Type))
					same(t, c, v)
				}
			})
		}
	}
}

func same(t *testing.T, c carrier, v reflect.Value) {
	t.Helper()
	got, err := c.carry(v.Interface())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(v.Interface(), got, ignoreCauses); diff != "" {
		t.Errorf("changed on the wire (-sent +received):\n%s", diff)
	}
}

// TestRandomValues: from(to(x)) == x.
func TestRandomValues(t *testing.T) {
	t.Parallel()
	for _, c := range carriers {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(t *rapid.T) {
				want := reflect.New(c.value).Elem()
				draw(t, want, c.name, 0)
				got, err := c.carry(want.Interface())
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(want.Interface(), got, ignoreCauses); diff != "" {
					t.Fatalf("changed on the wire (-sent +received):\n%s", diff)
				}
			})
		})
	}
}

// TestEmptyState: an action may ask for an empty state, which is not the same as leaving the stored
// one.
func TestEmptyState(t *testing.T) {
	t.Parallel()
	for _, state := range [][]byte{nil, {}, {1}} {
		got := actionResultFromPB(throughBytes(t, actionResultToPB(integration.ActionResult{State: state})))
		if (got.State == nil) != (state == nil) || len(got.State) != len(state) {
			t.Errorf("state %#v arrived as %#v", state, got.State)
		}
	}
}

func throughBytes[M proto.Message](t *testing.T, m M) M {
	t.Helper()
	data, err := proto.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	out := m.ProtoReflect().New().Interface()
	if err := proto.Unmarshal(data, out); err != nil {
		t.Fatal(err)
	}
	return out.(M)
}

// TestTextThatIsNotUTF8 comes from callers and their networks: it arrives, HTTP parts unchanged,
// the rest readable.
func TestTextThatIsNotUTF8(t *testing.T) {
	t.Parallel()
	odd := "caf\xe9\xff"
	fresh := func() integration.WebhookRequest {
		return integration.WebhookRequest{
			Method: odd, URL: odd, Path: odd, Body: []byte(odd), Header: map[string][]string{odd: {odd}},
			Facts: integration.Facts{
				SessionKey:   odd,
				Destinations: []integration.Destination{{Name: odd}},
				Instance:     integration.Instance{MediaURLs: map[string]string{odd: odd, "ok": "ok"}, MediaSlices: map[string][]string{odd: {odd}, "ok": {odd, "ok"}}},
				Answers:      []integration.Answer{{User: &integration.User{Phones: []string{odd, "+12025550143"}}}},
			},
		}
	}
	req := fresh()
	var got any
	for _, c := range carriers {
		if c.value == reflect.TypeOf(req) {
			var err error
			if got, err = c.carry(req); err != nil {
				t.Fatal(err)
			}
		}
	}
	readable := "caf\uFFFD"
	want := req
	want.Facts = integration.Facts{
		SessionKey:   readable,
		Destinations: []integration.Destination{{Name: readable}},
		Instance:     integration.Instance{MediaURLs: map[string]string{readable: readable, "ok": "ok"}, MediaSlices: map[string][]string{readable: {readable}, "ok": {readable, "ok"}}},
		Answers:      []integration.Answer{{User: &integration.User{Phones: []string{readable, "+12025550143"}}}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(fresh(), req); diff != "" {
		t.Errorf("the caller's value was changed:\n%s", diff)
	}
}

// TestHeaderNamesJoin: a peer may send a name twice.
func TestHeaderNamesJoin(t *testing.T) {
	t.Parallel()
	fields := append(headerToPB(map[string][]string{"A": {"1"}}), headerToPB(map[string][]string{"A": {"2"}})...)
	if diff := cmp.Diff(map[string][]string{"A": {"1", "2"}}, headerFromPB(fields)); diff != "" {
		t.Error(diff)
	}
}

// TestEveryMethodReachesItsNamesake calls each method through a real connection to an integration
// that knows which one it is, with streams and without.
func TestEveryMethodReachesItsNamesake(t *testing.T) {
	t.Parallel()
	listener := bufconn.Listen(1 << 16)
	server := grpc.NewServer()
	plain := func(ctx context.Context, req any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
		return next(ctx, req)
	}
	RegisterServer(server, namesake{}, plain, slog.New(slog.DiscardHandler))
	go func() { _ = server.Serve(listener) }()
	defer server.Stop()
	conn, err := grpc.NewClient("passthrough:///x", grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return listener.DialContext(ctx) }))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	methods := reflect.TypeFor[integration.Integration]()
	for _, calls := range []bool{false, true} {
		client := reflect.ValueOf(integration.Integration(NewClient(conn, ClientConfig{HandleTimeout: time.Minute, NoStreams: calls})))
		for i := range methods.NumMethod() {
			m := methods.Method(i)
			results := client.MethodByName(m.Name).Call([]reflect.Value{
				reflect.ValueOf(context.Background()), reflect.Zero(m.Type.In(1)),
			})
			err, _ := results[1].Interface().(error)
			if err == nil || !strings.Contains(err.Error(), "<"+m.Name+">") {
				t.Errorf("%s was answered: %v", m.Name, err)
			}
		}
	}
}

// namesake answers each call by an error that names the method.
type namesake struct{}

func (namesake) Describe(context.Context, integration.DescribeRequest) (integration.Description, error) {
	return integration.Description{}, integration.Errorf(integration.KindInvalid, "<Describe>")
}

func (namesake) OptionsSchema(context.Context, integration.OptionsSchemaRequest) (integration.OptionsSchema, error) {
	return integration.OptionsSchema{}, integration.Errorf(integration.KindInvalid, "<OptionsSchema>")
}

func (namesake) ValidateOptions(context.Context, integration.ValidateOptionsRequest) (integration.ValidateOptionsResponse, error) {
	return integration.ValidateOptionsResponse{}, integration.Errorf(integration.KindInvalid, "<ValidateOptions>")
}

func (namesake) HandleWebhook(context.Context, integration.WebhookRequest) (integration.Outcome, error) {
	return integration.Outcome{}, integration.Errorf(integration.KindInvalid, "<HandleWebhook>")
}

func (namesake) HandleAlert(context.Context, integration.AlertRequest) (integration.Outcome, error) {
	return integration.Outcome{}, integration.Errorf(integration.KindInvalid, "<HandleAlert>")
}

func (namesake) HandleTask(context.Context, integration.TaskRequest) (integration.Outcome, error) {
	return integration.Outcome{}, integration.Errorf(integration.KindInvalid, "<HandleTask>")
}

func (namesake) Perform(context.Context, integration.PerformRequest) (integration.TaskResult, error) {
	return integration.TaskResult{}, integration.Errorf(integration.KindInvalid, "<Perform>")
}

func (namesake) RunAction(context.Context, integration.ActionRequest) (integration.ActionResult, error) {
	return integration.ActionResult{}, integration.Errorf(integration.KindInvalid, "<RunAction>")
}

var (
	timeType     = reflect.TypeFor[time.Time]()
	durationType = reflect.TypeFor[time.Duration]()
	errorType    = reflect.TypeFor[error]()
	filled       = time.Date(2026, 3, 4, 5, 6, 7, 890_000_001, time.UTC)
)

// fill returns a value of which every field, element and pointer is set.
func fill(typ reflect.Type) reflect.Value {
	n := 0
	v := reflect.New(typ).Elem()
	fillValue(v, &n)
	return v
}

// fillValue sets everything below v to a value that occurs once.
func fillValue(v reflect.Value, n *int) {
	*n++
	switch {
	case v.Type() == timeType:
		v.Set(reflect.ValueOf(filled.Add(time.Duration(*n) * time.Hour)))
		return
	case v.Type() == errorType:
		return // a cause stays behind
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			fillValue(v.Field(i), n)
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fillValue(v.Elem(), n)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range 2 {
			fillValue(v.Index(i), n)
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		for range 2 {
			key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
			fillValue(key, n)
			fillValue(value, n)
			v.SetMapIndex(key, value)
		}
	case reflect.String:
		v.SetString(fmt.Sprintf("text %d", *n))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Uint8:
		v.SetUint(uint64(*n%255 + 1))
	case reflect.Int, reflect.Int64:
		v.SetInt(int64(*n) << 33)
	default:
		panic("the test cannot fill a " + v.Type().String())
	}
}

// firstZero names the first part of v that has no value, "" if there is none.
func firstZero(v reflect.Value, name string) string {
	if v.Type() == timeType {
		if v.Interface().(time.Time).IsZero() {
			return name
		}
		return ""
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			field := v.Type().Field(i)
			if field.Type == errorType {
				continue
			}
			if where := firstZero(v.Field(i), name+"."+field.Name); where != "" {
				return where
			}
		}
	case reflect.Pointer:
		if v.IsNil() {
			return name
		}
		return firstZero(v.Elem(), name)
	case reflect.Slice:
		if v.Len() == 0 {
			return name
		}
		for i := range v.Len() {
			if where := firstZero(v.Index(i), fmt.Sprintf("%s[%d]", name, i)); where != "" {
				return where
			}
		}
	case reflect.Map:
		if v.Len() == 0 {
			return name
		}
	default:
		if v.IsZero() {
			return name
		}
	}
	return ""
}

// draw sets v to a random value. Slices and maps are absent or have elements: empty and absent are
// one on the wire.
func draw(t *rapid.T, v reflect.Value, name string, depth int) {
	switch v.Type() {
	case timeType:
		if rapid.Bool().Draw(t, name+" set") {
			sec := rapid.Int64Range(-62135596799, 253402300799).Draw(t, name)
			nsec := rapid.Int64Range(0, 999_999_999).Draw(t, name+" ns")
			v.Set(reflect.ValueOf(time.Unix(sec, nsec).UTC()))
		}
		return
	case errorType:
		return
	case durationType:
		v.SetInt(rapid.Int64().Draw(t, name))
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			draw(t, v.Field(i), name+"."+v.Type().Field(i).Name, depth+1)
		}
	case reflect.Pointer:
		if rapid.Bool().Draw(t, name+" set") {
			v.Set(reflect.New(v.Type().Elem()))
			draw(t, v.Elem(), name, depth+1)
		}
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			if data := rapid.SliceOfN(rapid.Byte(), 0, 8).Draw(t, name); len(data) > 0 {
				v.SetBytes(data)
			}
			return
		}
		if n := rapid.IntRange(0, 2).Draw(t, name+" length"); n > 0 {
			v.Set(reflect.MakeSlice(v.Type(), n, n))
			for i := range n {
				draw(t, v.Index(i), fmt.Sprintf("%s[%d]", name, i), depth+1)
			}
		}
	case reflect.Map:
		if n := rapid.IntRange(0, 2).Draw(t, name+" length"); n > 0 {
			v.Set(reflect.MakeMap(v.Type()))
			for range n {
				key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
				draw(t, key, name+" key", depth+1)
				draw(t, value, name+" value", depth+1)
				v.SetMapIndex(key, value)
			}
		}
	case reflect.String:
		v.SetString(rapid.StringN(0, 5, -1).Draw(t, name))
	case reflect.Bool:
		v.SetBool(rapid.Bool().Draw(t, name))
	case reflect.Int, reflect.Int64:
		v.SetInt(rapid.Int64().Draw(t, name))
	default:
		panic("the test cannot draw a " + v.Type().String())
	}
}
