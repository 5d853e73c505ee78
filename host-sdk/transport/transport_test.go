package transport

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/test/bufconn"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/internal/wire"
)

// scripted is an integration whose Perform and Describe are given.
type scripted struct {
	integration.Integration // nil: a call that no test expects panics
	perform                 func(ctx context.Context, req integration.PerformRequest) (integration.TaskResult, error)
	description             integration.Description
	describeErr             error
}

func (s scripted) Perform(ctx context.Context, req integration.PerformRequest) (integration.TaskResult, error) {
	return s.perform(ctx, req)
}

func (s scripted) Describe(context.Context, integration.DescribeRequest) (integration.Description, error) {
	return s.description, s.describeErr
}

func dial(t *testing.T, impl integration.Integration) *Conn {
	t.Helper()
	conn, closeBoth, err := DialInProcess(impl)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(closeBoth)
	return conn
}

func task(payload []byte) integration.PerformRequest {
	return integration.PerformRequest{Task: integration.Task{Payload: payload}}
}

func echo(_ context.Context, req integration.PerformRequest) (integration.TaskResult, error) {
	return integration.TaskResult{Payload: req.Task.Payload}, nil
}

func TestInProcess(t *testing.T) {
	t.Parallel()
	want := integration.Description{ID: "x", ProtocolVersion: 1, Periodic: []integration.PeriodicTask{{Name: "p", Every: time.Hour}}}
	conn := dial(t, scripted{description: want, perform: echo})
	got, err := conn.Describe(t.Context(), integration.DescribeRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("(-want +got):\n%s", diff)
	}
	if err := conn.Healthy(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestInProcessLeavesNothing(t *testing.T) {
	// Not parallel: it looks at all goroutines.
	before := goleak.IgnoreCurrent()
	conn, closeBoth, err := DialInProcess(scripted{perform: echo})
	if err != nil {
		t.Fatal(err)
	}
	_, err = conn.Perform(t.Context(), task([]byte("x")))
	if err != nil {
		t.Fatal(err)
	}
	closeBoth()
	goleak.VerifyNone(t, before)
	_, err = conn.Perform(t.Context(), task(nil))
	if err == nil {
		t.Fatal("no error")
	}
}

// TestLimits in both directions, explicitly: the libraries' own are 4 MiB on one side and none on
// the other.
func TestLimits(t *testing.T) {
	t.Parallel()
	conn := dial(t, scripted{perform: func(_ context.Context, req integration.PerformRequest) (integration.TaskResult, error) {
		var n int
		_, err := fmt.Sscan(req.Task.Name, &n)
		if err != nil {
			n = len(req.Task.Payload)
		}
		return integration.TaskResult{Payload: make([]byte, n)}, nil
	}})
	const overhead = 1 << 10 // the fields beside the payload
	for _, tt := range []struct {
		name          string
		request, resp int
		kind          integration.Kind
	}{
		{"5 MiB both ways", 5 << 20, 5 << 20, ""},
		{"nearly 16 MiB both ways", integration.MaxMessageBytes - overhead, integration.MaxMessageBytes - overhead, ""},
		{"request over 16 MiB", integration.MaxMessageBytes, 1, integration.KindInvalid},
		{"answer over 16 MiB", 1, integration.MaxMessageBytes, integration.KindInvalid},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			req := task(make([]byte, tt.request))
			req.Task.Name = fmt.Sprint(tt.resp)
			got, err := conn.Perform(t.Context(), req)
			if got := integration.KindOf(err); got != tt.kind {
				t.Fatalf("%v: error kind is %q, want %q", err, got, tt.kind)
			}
			if tt.kind == "" {
				if len(got.Payload) != tt.resp {
					t.Fatalf("%d got.Payload, want %d", len(got.Payload), tt.resp)
				}
			}
		})
	}
}

// TestServerRefusesLargeRequests, whatever the other side thinks of limits.
func TestServerRefusesLargeRequests(t *testing.T) {
	t.Parallel()
	log := slog.New(slog.DiscardHandler)
	g := newGate()
	server := grpc.NewServer(serverOptions(g, log)...)
	register(server, scripted{perform: echo}, g, log)
	listener := bufconn.Listen(1 << 20)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	cc, err := grpc.NewClient("passthrough:///x", // without our limits
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return listener.DialContext(ctx) }))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cc.Close() })
	_, err = newConn(cc, 0).Perform(t.Context(), task(make([]byte, integration.MaxMessageBytes)))
	if got := integration.KindOf(err); got != integration.KindInvalid {
		t.Fatalf("error kind is %q, want %q", got, integration.KindInvalid)
	}
	_, err = newConn(cc, 0).Perform(t.Context(), task([]byte("small")))
	if err != nil {
		t.Fatal(err)
	}
}

func TestPanicIsAnInternalError(t *testing.T) {
	t.Parallel()
	var buf bytes.Buffer
	interceptor := recovering(newPluginLogger(&buf))
	_, err := interceptor(t.Context(), nil, &grpc.UnaryServerInfo{FullMethod: "/x/Y"}, func(context.Context, any) (any, error) {
		panic("secret cause")
	})
	got := wire.FromStatus(err)
	if have := integration.KindOf(got); have != integration.KindInternal {
		t.Fatalf("error kind is %q, want %q", have, integration.KindInternal)
	}
	if strings.Contains(got.Error(), "secret cause") {
		t.Fatalf("%q contains %q", got.Error(), "secret cause")
	}
	for _, want := range []string{"secret cause", `"@level":"error"`, `"call":"/x/Y"`, "transport_test.go"} {
		if got := buf.String(); !strings.Contains(got, want) {
			t.Fatalf("%q, want it to contain %q", got, want)
		}
	}
	// And through the wire.
	conn := dial(t, scripted{perform: func(context.Context, integration.PerformRequest) (integration.TaskResult, error) { panic("x") }})
	_, err = conn.Perform(t.Context(), task(nil))
	if got := integration.KindOf(err); got != integration.KindInternal {
		t.Fatalf("error kind is %q, want %q", got, integration.KindInternal)
	}
	if err := conn.Healthy(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// TestEveryCallHasADeadline, on both sides; one that is given crosses. A request of a stream ends
// with the stream, so that none crosses.
func TestEveryCallHasADeadline(t *testing.T) {
	t.Parallel()
	left := make(chan time.Duration, 1)
	note := func(ctx context.Context) {
		deadline, _ := ctx.Deadline()
		left <- time.Until(deadline)
	}
	conn := dial(t, scripted{
		perform: func(ctx context.Context, _ integration.PerformRequest) (integration.TaskResult, error) {
			note(ctx)
			return integration.TaskResult{}, nil
		},
		Integration: handlers{handle: func(ctx context.Context, _ string) (integration.Outcome, error) {
			note(ctx)
			return integration.Outcome{}, nil
		}},
	})
	perform := func(ctx context.Context) error {
		_, err := conn.Perform(ctx, task(nil))
		return err
	}
	for _, tt := range []struct {
		name        string
		ask         func(context.Context) error
		given, want time.Duration
	}{
		{"none is given", perform, 0, DefaultTimeout},
		{"sooner than the default", perform, 20 * time.Second, 20 * time.Second},
		{"later", perform, 5 * time.Minute, 5 * time.Minute},
		{"a request of a stream", func(ctx context.Context) error {
			_, err := conn.HandleWebhook(ctx, webhook("x"))
			return err
		}, 20 * time.Second, DefaultTimeout},
	} {
		ctx, cancel := context.Background(), context.CancelFunc(func() {})
		if tt.given > 0 {
			ctx, cancel = context.WithTimeout(ctx, tt.given)
		}
		err := tt.ask(ctx)
		cancel()
		if err != nil {
			t.Fatal(err)
		}
		if got := <-left; got <= tt.want/2 || got > tt.want {
			t.Errorf("%s: %v left, want %v", tt.name, got, tt.want)
		}
	}

	_, err := limitingTime(context.Background(), nil, nil, func(ctx context.Context, _ any) (any, error) {
		_, ok := ctx.Deadline()
		if !ok {
			t.Fatal("not a *Conn")
		}
		return nil, nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestCancelReachesTheHandler at once.
func TestCancelReachesTheHandler(t *testing.T) {
	t.Parallel()
	begun, ended := make(chan struct{}), make(chan error, 1)
	conn := dial(t, scripted{perform: func(ctx context.Context, _ integration.PerformRequest) (integration.TaskResult, error) {
		close(begun)
		<-ctx.Done()
		ended <- ctx.Err()
		return integration.TaskResult{}, ctx.Err()
	}})
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-begun
		cancel()
	}()
	_, err := conn.Perform(ctx, task(nil))
	if got := integration.KindOf(err); got != integration.KindDeadline {
		t.Fatalf("error kind is %q, want %q", got, integration.KindDeadline)
	}
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("error %v, want %v", err, context.Canceled)
	}
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Fatalf("error %v, want %v", err, context.Canceled)
	}
}

// TestDrain waits for calls in progress, refuses new ones, and answers questions about health all
// the while.
func TestDrain(t *testing.T) {
	t.Parallel()
	begun, finish := make(chan struct{}), make(chan struct{})
	var asked atomic.Int32
	conn := dial(t, scripted{perform: func(context.Context, integration.PerformRequest) (integration.TaskResult, error) {
		if asked.Add(1) == 1 {
			close(begun)
			<-finish
		}
		return integration.TaskResult{Payload: []byte("done")}, nil
	}})
	var calls sync.WaitGroup
	calls.Go(func() {
		got, err := conn.Perform(context.Background(), task(nil))
		if err != nil || string(got.Payload) != "done" {
			t.Errorf("the call in progress: %q, %v", got.Payload, err)
		}
	})
	<-begun
	// At its deadline it says how many are left.
	drain := func(limit time.Duration) (int, error) {
		ctx, cancel := context.WithTimeout(t.Context(), limit)
		defer cancel()
		return conn.Drain(ctx)
	}
	var err error
	// On a busy machine the answer may lose the race against the deadline, and so may the question.
	for limit := 500 * time.Millisecond; err == nil && limit < time.Minute; limit *= 2 {
		if left, err := drain(limit); err == nil && left != 1 || err != nil && integration.KindOf(err) != integration.KindDeadline {
			t.Fatalf("%d are left, %v; want 1", left, err)
		}
		_, err = conn.Perform(t.Context(), task(nil))
	}
	var refused *integration.Error
	if !errors.As(err, &refused) {
		t.Fatalf("error %v, want a %T", err, &refused)
	}
	if refused.Code != wire.CodeDraining {
		t.Fatalf("refused.Code is %q, want %q", refused.Code, wire.CodeDraining)
	}
	if refused.Kind != integration.KindUnavailable {
		t.Fatalf("refused.Kind is %q, want %q", refused.Kind, integration.KindUnavailable)
	}
	if err := conn.Healthy(t.Context()); err != nil {
		t.Fatal(err)
	}

	drained := make(chan int, 1)
	calls.Go(func() {
		left, err := conn.Drain(context.Background())
		if err != nil {
			t.Error(err)
		}
		drained <- left
	})
	close(finish)
	if got := <-drained; got != 0 {
		t.Fatalf("<-drained is %v, want 0", got)
	}
	calls.Wait()
}

func TestGate(t *testing.T) {
	t.Parallel()
	g := newGate()
	if !g.enter() {
		t.Fatal("g.enter() is false")
	}
	if !g.enter() {
		t.Fatal("g.enter() is false")
	}
	g.shut()
	g.shut()
	if g.enter() {
		t.Fatal("g.enter() is true")
	}
	g.leave()
	select {
	case <-g.empty:
		t.Fatal("somebody is inside")
	default:
	}
	g.leave()
	<-g.empty
	if got := g.drain(t.Context()); got != 0 {
		t.Fatalf("g.drain(t.Context()) is %v, want 0", got)
	}
}

func TestPluginLogger(t *testing.T) {
	t.Parallel()
	var buf bytes.Buffer
	log := newPluginLogger(&buf)
	log.Debug("d")
	log.Info("i", "level", "mine", "n", 1)
	log.Warn("w")
	log.Error("e", slog.Group("g", "time", "inner"))
	log.Log(t.Context(), slog.LevelError+4, "beyond")
	var got []map[string]any
	for line := range strings.SplitSeq(strings.TrimSpace(buf.String()), "\n") {
		var entry map[string]any
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			t.Fatal(err)
		}
		at, err := time.Parse(timeLayout, fmt.Sprint(entry["@timestamp"]))
		if err != nil {
			t.Fatal(err)
		}
		if at.IsZero() {
			t.Fatal("at.IsZero() is true")
		}
		delete(entry, "@timestamp")
		got = append(got, entry)
	}
	want := []map[string]any{
		{"@level": "debug", "@message": "d"},
		{"@level": "info", "@message": "i", "level": "mine", "n": 1.0},
		{"@level": "warn", "@message": "w"},
		{"@level": "error", "@message": "e", "g": map[string]any{"time": "inner"}},
		{"@level": "error", "@message": "beyond"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("(-want +got):\n%s", diff)
	}
}

func TestDescribeArgument(t *testing.T) {
	t.Parallel()
	impl := scripted{description: integration.Description{
		ID: "x", Name: "X", Version: "1.2.3", ProtocolVersion: 1, ProtocolMinor: 2,
		Formats: integration.Formats{State: 3, Task: 4, Path: 5, Options: 6},
		Actions: []integration.ActionDescription{{Name: "check", Label: "Check"}},
	}}
	build := func(*slog.Logger) (integration.Integration, error) { return impl, nil }
	served := false
	serve := func(integration.Integration) { served = true }
	log := slog.New(slog.DiscardHandler)

	var stdout, stderr bytes.Buffer
	if got := run([]string{"describe"}, &stdout, &stderr, log, build, serve); got != 0 {
		t.Fatalf("run([]string{'describe'}, &stdout, &stderr, log, build, serve) is %v, want 0", got)
	}
	if served {
		t.Fatal("served is true")
	}
	var said, want any
	if err := json.Unmarshal(stdout.Bytes(), &said); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(`{"id":"x","name":"X","version":"1.2.3","protocol":{"version":1,"minor":2},
		"formats":{"state":3,"task":4,"path":5,"options":6},"actions":[{"name":"check","label":"Check"}]}`), &want); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, said); diff != "" {
		t.Errorf("describe (-want +got):\n%s", diff)
	}
	if got := stderr.String(); len(got) != 0 {
		t.Fatalf("stderr.String() is %v, want it empty", got)
	}

	if got := run(nil, io.Discard, io.Discard, log, build, serve); got != 0 {
		t.Fatalf("run(nil, io.Discard, io.Discard, log, build, serve) is %v, want 0", got)
	}
	if !served {
		t.Fatal("served is false")
	}
	for _, args := range [][]string{{"serve"}, {"describe", "x"}, {"--help"}} {
		stdout.Reset()
		stderr.Reset()
		if got := run(args, &stdout, &stderr, log, build, serve); got != 2 {
			t.Fatalf("%v: exit status %v, want %v", args, got, 2)
		}
		if got := stdout.String(); len(got) != 0 {
			t.Fatalf("stdout.String() is %v, want it empty", got)
		}
		if got := stderr.String(); !strings.Contains(got, "describe") {
			t.Fatalf("%q, want it to contain %q", got, "describe")
		}
	}
	failing := func(*slog.Logger) (integration.Integration, error) { return nil, errors.New("no") }
	if got := run([]string{"describe"}, io.Discard, io.Discard, log, failing, serve); got != 1 {
		t.Fatalf("run([]string{'describe'}, io.Discard, io.Discard, log, failing, serve) is %v, want %v", got, 1)
	}
	impl.describeErr = errors.New("no")
	if got := run([]string{"describe"}, &stdout, &stderr, log, build, serve); got != 1 {
		t.Fatalf("run([]string{'describe'}, &stdout, &stderr, log, build, serve) is %v, want %v", got, 1)
	}
}
