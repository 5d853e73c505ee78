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
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
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
	require.NoError(t, err)
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
	require.NoError(t, err)
	require.Empty(t, cmp.Diff(want, got))
	require.NoError(t, conn.Healthy(t.Context()))
}

func TestInProcessLeavesNothing(t *testing.T) {
	// Not parallel: it looks at all goroutines.
	before := goleak.IgnoreCurrent()
	conn, closeBoth, err := DialInProcess(scripted{perform: echo})
	require.NoError(t, err)
	_, err = conn.Perform(t.Context(), task([]byte("x")))
	require.NoError(t, err)
	closeBoth()
	goleak.VerifyNone(t, before)
	_, err = conn.Perform(t.Context(), task(nil))
	require.Error(t, err)
}

// TestLimits in both directions, explicitly: the libraries' own are 4 MiB on one side and none on the other.
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
			require.Equal(t, tt.kind, integration.KindOf(err), "%v", err)
			if tt.kind == "" {
				require.Len(t, got.Payload, tt.resp)
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
	require.NoError(t, err)
	t.Cleanup(func() { _ = cc.Close() })
	_, err = newConn(cc).Perform(t.Context(), task(make([]byte, integration.MaxMessageBytes)))
	require.Equal(t, integration.KindInvalid, integration.KindOf(err))
	_, err = newConn(cc).Perform(t.Context(), task([]byte("small")))
	require.NoError(t, err)
}

func TestPanicIsAnInternalError(t *testing.T) {
	t.Parallel()
	var buf bytes.Buffer
	interceptor := recovering(newPluginLogger(&buf))
	_, err := interceptor(t.Context(), nil, &grpc.UnaryServerInfo{FullMethod: "/x/Y"}, func(context.Context, any) (any, error) {
		panic("secret cause")
	})
	got := wire.FromStatus(err)
	require.Equal(t, integration.KindInternal, integration.KindOf(got))
	require.NotContains(t, got.Error(), "secret cause")
	for _, want := range []string{"secret cause", `"@level":"error"`, `"call":"/x/Y"`, "transport_test.go"} {
		require.Contains(t, buf.String(), want)
	}
	// And through the wire.
	conn := dial(t, scripted{perform: func(context.Context, integration.PerformRequest) (integration.TaskResult, error) { panic("x") }})
	_, err = conn.Perform(t.Context(), task(nil))
	require.Equal(t, integration.KindInternal, integration.KindOf(err))
	require.NoError(t, conn.Healthy(t.Context()))
}

// TestEveryCallHasADeadline, on both sides; one that is given crosses.
func TestEveryCallHasADeadline(t *testing.T) {
	t.Parallel()
	left := make(chan time.Duration, 1)
	conn := dial(t, scripted{perform: func(ctx context.Context, _ integration.PerformRequest) (integration.TaskResult, error) {
		deadline, ok := ctx.Deadline()
		if !ok {
			return integration.TaskResult{}, errors.New("no deadline")
		}
		left <- time.Until(deadline)
		return integration.TaskResult{}, nil
	}})
	_, err := conn.Perform(context.Background(), task(nil))
	require.NoError(t, err)
	got := <-left
	require.Greater(t, got, DefaultTimeout/2)
	require.LessOrEqual(t, got, DefaultTimeout)

	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	_, err = conn.Perform(ctx, task(nil))
	require.NoError(t, err)
	require.LessOrEqual(t, <-left, 20*time.Second)

	_, err = limitingTime(context.Background(), nil, nil, func(ctx context.Context, _ any) (any, error) {
		_, ok := ctx.Deadline()
		require.True(t, ok)
		return nil, nil
	})
	require.NoError(t, err)
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
	require.Equal(t, integration.KindDeadline, integration.KindOf(err))
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorIs(t, <-ended, context.Canceled)
}

// TestDrain waits for calls in progress, refuses new ones, and answers questions about health all the while.
func TestDrain(t *testing.T) {
	t.Parallel()
	begun, finish := make(chan struct{}), make(chan struct{})
	conn := dial(t, scripted{perform: func(context.Context, integration.PerformRequest) (integration.TaskResult, error) {
		close(begun)
		<-finish
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
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	left, err := conn.Drain(ctx)
	if err == nil { // the answer may lose the race against the deadline on a busy machine
		require.Equal(t, 1, left)
	} else {
		require.Equal(t, integration.KindDeadline, integration.KindOf(err))
	}
	_, err = conn.Perform(t.Context(), task(nil))
	var refused *integration.Error
	require.ErrorAs(t, err, &refused)
	require.Equal(t, wire.CodeDraining, refused.Code)
	require.Equal(t, integration.KindUnavailable, refused.Kind)
	require.NoError(t, conn.Healthy(t.Context()))

	drained := make(chan int, 1)
	calls.Go(func() {
		left, err := conn.Drain(context.Background())
		if err != nil {
			t.Error(err)
		}
		drained <- left
	})
	close(finish)
	require.Zero(t, <-drained)
	calls.Wait()
}

func TestGate(t *testing.T) {
	t.Parallel()
	g := newGate()
	require.True(t, g.enter())
	require.True(t, g.enter())
	g.shut()
	g.shut()
	require.False(t, g.enter())
	g.leave()
	select {
	case <-g.empty:
		t.Fatal("somebody is inside")
	default:
	}
	g.leave()
	<-g.empty
	require.Zero(t, g.drain(t.Context()))
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
		require.NoError(t, json.Unmarshal([]byte(line), &entry))
		at, err := time.Parse(timeLayout, fmt.Sprint(entry["@timestamp"]))
		require.NoError(t, err)
		require.False(t, at.IsZero())
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
	require.Empty(t, cmp.Diff(want, got))
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
	require.Zero(t, run([]string{"describe"}, &stdout, &stderr, log, build, serve))
	require.False(t, served)
	require.JSONEq(t, `{"id":"x","name":"X","version":"1.2.3","protocol":{"version":1,"minor":2},
		"formats":{"state":3,"task":4,"path":5,"options":6},"actions":[{"name":"check","label":"Check"}]}`, stdout.String())
	require.Empty(t, stderr.String())

	require.Zero(t, run(nil, io.Discard, io.Discard, log, build, serve))
	require.True(t, served)
	for _, args := range [][]string{{"serve"}, {"describe", "x"}, {"--help"}} {
		stdout.Reset()
		stderr.Reset()
		require.Equal(t, 2, run(args, &stdout, &stderr, log, build, serve), args)
		require.Empty(t, stdout.String())
		require.Contains(t, stderr.String(), "describe")
	}
	failing := func(*slog.Logger) (integration.Integration, error) { return nil, errors.New("no") }
	require.Equal(t, 1, run([]string{"describe"}, io.Discard, io.Discard, log, failing, serve))
	impl.describeErr = errors.New("no")
	require.Equal(t, 1, run([]string{"describe"}, &stdout, &stderr, log, build, serve))
}
