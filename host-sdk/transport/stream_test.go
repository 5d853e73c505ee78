package transport

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/internal/wire"
)

// handlers is an integration whose handlers of requests are one function of the body.
type handlers struct {
	integration.Integration

	handle func(ctx context.Context, body string) (integration.Outcome, error)
}

func (h handlers) HandleWebhook(ctx context.Context, req integration.WebhookRequest) (integration.Outcome, error) {
	return h.handle(ctx, string(req.Body))
}

func (h handlers) HandleAlert(ctx context.Context, req integration.AlertRequest) (integration.Outcome, error) {
	return h.handle(ctx, "alert "+req.Facts.Session.Key)
}

func (h handlers) HandleTask(ctx context.Context, req integration.TaskRequest) (integration.Outcome, error) {
	return h.handle(ctx, "task "+req.Task.Name)
}

// says is an outcome that can be told from others.
func says(text string) integration.Outcome {
	return integration.Outcome{Response: &integration.Response{Status: 200, Body: []byte(text)}}
}

func webhook(body string) integration.WebhookRequest {
	return integration.WebhookRequest{Body: []byte(body)}
}

// counted are the calls that a plugin is asked for, by method.
type counted struct {
	mu      sync.Mutex
	calls   map[string]int
	refused bool // it does without streams
}

func (c *counted) note(method string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.calls[method[strings.LastIndexByte(method, '/')+1:]]++
}

func (c *counted) of(method string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.calls[method]
}

// dialCounted connects to a plugin whose calls are counted.
func dialCounted(t *testing.T, impl integration.Integration, c *counted, limit time.Duration) (*Conn, *grpc.Server) {
	t.Helper()
	c.calls = map[string]int{}
	log, g := slog.New(slog.DiscardHandler), newGate()
	server := grpc.NewServer(append(serverMessages(),
		grpc.UnaryInterceptor(func(ctx context.Context, req any, info *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
			c.note(info.FullMethod)
			return each(g, log)(ctx, req, info, next)
		}),
		grpc.StreamInterceptor(func(srv any, s grpc.ServerStream, info *grpc.StreamServerInfo, next grpc.StreamHandler) error {
			c.note(info.FullMethod)
			if c.refused {
				return status.Error(codes.Unimplemented, "unknown method Handle")
			}
			return next(srv, s)
		}))...)
	register(server, impl, g, log)
	listener := bufconn.Listen(1 << 20)
	var served sync.WaitGroup
	served.Go(func() { _ = server.Serve(listener) })
	cc, err := grpc.NewClient("passthrough:///x", append(DialOptions(), grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return listener.DialContext(ctx) }))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cc.Close()
		server.Stop()
		served.Wait()
	})
	return newConn(cc, limit), server
}

// TestRequestsShareAStream, whatever they are about; those at the same time have one each.
func TestRequestsShareAStream(t *testing.T) {
	t.Parallel()
	var c counted
	var together sync.WaitGroup
	conn, _ := dialCounted(t, handlers{handle: func(_ context.Context, body string) (integration.Outcome, error) {
		if body == "together" {
			together.Done()
			together.Wait()
		}
		return says(body), nil
	}}, &c, 0)
	for range 5 {
		for want, ask := range map[string]func() (integration.Outcome, error){
			"webhook": func() (integration.Outcome, error) { return conn.HandleWebhook(t.Context(), webhook("webhook")) },
			"alert CA1": func() (integration.Outcome, error) {
				return conn.HandleAlert(t.Context(), integration.AlertRequest{Facts: integration.Facts{Session: &integration.Session{Key: "CA1"}}})
			},
			"task t": func() (integration.Outcome, error) {
				return conn.HandleTask(t.Context(), integration.TaskRequest{Task: integration.Task{Name: "t"}})
			},
		} {
			got, err := ask()
			if err != nil || got.Response == nil || string(got.Response.Body) != want {
				t.Fatalf("%s: %+v, %v", want, got, err)
			}
		}
	}
	if n := c.of("Handle"); n != 1 {
		t.Errorf("%d streams for one request at a time", n)
	}
	// 100 at the same time, of which no more are kept than the pool holds.
	for range 2 {
		together.Add(100)
		var asking sync.WaitGroup
		for range 100 {
			asking.Go(func() {
				if _, err := conn.HandleWebhook(t.Context(), webhook("together")); err != nil {
					t.Error(err)
				}
			})
		}
		asking.Wait()
	}
	if n := c.of("Handle"); n != 136 {
		t.Errorf("%d streams for twice 100 requests at a time, want 100, and 36 again", n)
	}
	if n := c.of("HandleWebhook"); n != 0 {
		t.Errorf("%d calls beside streams", n)
	}
}

// TestARequestOfAStreamFailsAsACallDoes: an error leaves the stream to the next request.
func TestARequestOfAStreamFailsAsACallDoes(t *testing.T) {
	t.Parallel()
	plugin := handlers{handle: func(_ context.Context, body string) (integration.Outcome, error) {
		switch body {
		case "refuses":
			return integration.Outcome{}, &integration.Error{Kind: integration.KindConflict, Message: "broken \xff text", Field: "f", Code: "c"}
		case "unsupported":
			return integration.Outcome{}, integration.Errorf(integration.KindUnsupported, "not this")
		case "fails":
			return integration.Outcome{}, errors.New("a secret")
		case "panics":
			panic("a secret")
		case "is late":
			return integration.Outcome{}, context.DeadlineExceeded
		default:
			return says(body), nil
		}
	}}
	var streams, calls counted
	byStream, _ := dialCounted(t, plugin, &streams, 0)
	calls.refused = true
	byCall, _ := dialCounted(t, plugin, &calls, 0)
	for _, body := range []string{"refuses", "unsupported", "fails", "panics", "is late"} {
		_, want := byCall.HandleWebhook(t.Context(), webhook(body))
		_, got := byStream.HandleWebhook(t.Context(), webhook(body))
		var transport *wire.TransportError
		if got == nil || want == nil || got.Error() != want.Error() || integration.KindOf(got) != integration.KindOf(want) || errors.As(got, &transport) {
			t.Errorf("%s: %v, want %v", body, got, want)
		}
		if strings.Contains(got.Error(), "secret") {
			t.Errorf("%s: %v", body, got)
		}
	}
	if out, err := byStream.HandleWebhook(t.Context(), webhook("works")); err != nil || string(out.Response.Body) != "works" {
		t.Errorf("after the errors: %+v, %v", out, err)
	}
	if n := streams.of("Handle"); n != 1 {
		t.Errorf("%d streams", n)
	}
	// A plugin without streams is asked for one once.
	if n, of := calls.of("Handle"), calls.of("HandleWebhook"); n != 1 || of != 5 {
		t.Errorf("without streams: asked for %d, %d calls", n, of)
	}
}

// TestAMessageTooLargeForAStream is told as such, and the next one is served.
func TestAMessageTooLargeForAStream(t *testing.T) {
	t.Parallel()
	var c counted
	conn, _ := dialCounted(t, handlers{handle: func(_ context.Context, body string) (integration.Outcome, error) {
		if body == "much" {
			return says(strings.Repeat("x", integration.MaxMessageBytes)), nil
		}
		return says("little"), nil
	}}, &c, 0)
	for _, body := range []string{"much", strings.Repeat("x", integration.MaxMessageBytes)} {
		if _, err := conn.HandleWebhook(t.Context(), webhook(body)); integration.KindOf(err) != integration.KindInvalid || !strings.Contains(err.Error(), "larger than the limit") {
			t.Errorf("%.10s: %v", body, err)
		}
		if out, err := conn.HandleWebhook(t.Context(), webhook("little")); err != nil || string(out.Response.Body) != "little" {
			t.Errorf("after %.10s: %+v, %v", body, out, err)
		}
	}
}

// TestARequestOfAStreamIsGivenUp at the limit, at the caller's own deadline, and with the caller:
// the handler hears of it, and the next request is served.
func TestARequestOfAStreamIsGivenUp(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]error{atTheLimit: context.DeadlineExceeded, atItsDeadline: context.DeadlineExceeded, byItsCaller: context.Canceled} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			// On a busy machine a short time may pass before the request has got to its handler.
			for given := 50 * time.Millisecond; !isGivenUp(t, name, given, want); given *= 2 {
				if given > time.Minute {
					t.Fatal("the handler was never asked")
				}
			}
		})
	}
}

const (
	atTheLimit    = "at the limit"
	atItsDeadline = "at its deadline"
	byItsCaller   = "by its caller"
)

// isGivenUp makes a request that is given up after so much time, or by its caller once it is
// handled. It returns false if the handler was not asked in that time.
func isGivenUp(t *testing.T, how string, given time.Duration, want error) bool {
	t.Helper()
	var c counted
	begun, ended, release := make(chan struct{}, 1), make(chan struct{}), make(chan struct{})
	var stubborn atomic.Bool
	stubborn.Store(true)
	var limit time.Duration
	if how == atTheLimit {
		limit = given
	}
	conn, _ := dialCounted(t, handlers{handle: func(ctx context.Context, _ string) (integration.Outcome, error) {
		if !stubborn.Load() {
			return says("served"), nil
		}
		begun <- struct{}{}
		<-ctx.Done()
		close(ended)
		<-release // its own deadline is near the host's: it must not be the one to say so
		return integration.Outcome{}, ctx.Err()
	}}, &c, limit)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	switch how {
	case atItsDeadline:
		ctx, cancel = context.WithTimeout(ctx, given)
		defer cancel()
	case byItsCaller:
		go func() {
			<-begun
			begun <- struct{}{}
			cancel()
		}()
	}
	_, err := conn.HandleWebhook(ctx, webhook("x"))
	var transport *wire.TransportError
	if !errors.Is(err, want) || !errors.As(err, &transport) || integration.KindOf(err) != integration.KindDeadline {
		t.Fatalf("%v, want %v", err, want)
	}
	asked := false
	select {
	case <-begun:
		asked = true
		<-ended
	case <-time.After(time.Second):
	}
	close(release)
	stubborn.Store(false)
	// A limit as short as this one may pass on a busy machine.
	for n := 0; asked; n++ {
		out, err := conn.HandleWebhook(t.Context(), webhook("x"))
		if err == nil && string(out.Response.Body) == "served" {
			break
		}
		if n == 100 || !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("the next one: %+v, %v", out, err)
		}
	}
	if _, err := conn.HandleWebhook(ctx, webhook("x")); ctx.Err() != nil && !errors.Is(err, ctx.Err()) {
		t.Errorf("one that nobody waits for any more: %v", err)
	}
	return asked
}

// TestAPluginThatEndsWhileItAnswers: the host hears that the connection is gone, as of a call, and
// may ask another process.
func TestAPluginThatEndsWhileItAnswers(t *testing.T) {
	t.Parallel()
	var c counted
	begun := make(chan struct{})
	conn, server := dialCounted(t, handlers{handle: func(ctx context.Context, body string) (integration.Outcome, error) {
		if body == "first" {
			return says(body), nil
		}
		close(begun)
		<-ctx.Done()
		return integration.Outcome{}, ctx.Err()
	}}, &c, 0)
	if _, err := conn.HandleWebhook(t.Context(), webhook("first")); err != nil {
		t.Fatal(err)
	}
	go func() {
		<-begun
		server.Stop()
	}()
	for _, body := range []string{"while it ends", "afterwards"} {
		_, err := conn.HandleWebhook(t.Context(), webhook(body))
		var transport *wire.TransportError
		if !errors.As(err, &transport) || !transport.Lost() {
			t.Errorf("%s: %v", body, err)
		}
	}
}

// TestADrainRefusesRequestsOfStreams, waits for the one in progress and lets it end.
func TestADrainRefusesRequestsOfStreams(t *testing.T) {
	t.Parallel()
	var c counted
	begun, finish := make(chan struct{}), make(chan struct{})
	conn, _ := dialCounted(t, handlers{handle: func(_ context.Context, body string) (integration.Outcome, error) {
		if body == "long" {
			close(begun)
			<-finish
		}
		return says(body), nil
	}}, &c, 0)
	if _, err := conn.HandleWebhook(t.Context(), webhook("short")); err != nil {
		t.Fatal(err)
	}
	var calls sync.WaitGroup
	calls.Go(func() {
		if out, err := conn.HandleWebhook(context.Background(), webhook("long")); err != nil || string(out.Response.Body) != "long" {
			t.Errorf("the one in progress: %+v, %v", out, err)
		}
	})
	<-begun
	calls.Go(func() {
		if left, err := conn.Drain(context.Background()); err != nil || left != 0 {
			t.Errorf("drained: %d left, %v", left, err)
		}
	})
	// The drain begins in its own time.
	for {
		_, err := conn.HandleWebhook(t.Context(), webhook("short"))
		var refused *integration.Error
		if errors.As(err, &refused) && refused.Code == wire.CodeDraining {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	close(finish)
	calls.Wait()
}
