package wire

import (
	"context"
	"errors"
	"io"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	pb "github.com/livecallrouting/livecall/host-sdk/internal/pb/livecall/v1"
)

// A caller on hold causes a request every few seconds. A gRPC call for each costs more than the
// request: a stream of HTTP/2 is made and ended, with header fields both ways and a goroutine whose
// stack grows. So streams stay open, as connections of HTTP/1.1 do: each carries one request at a
// time, and many are as many streams.

// How many are kept for the next requests, and for how long: each takes some 50 kB in host and
// plugin together.
const (
	maxIdleStreams = 64
	idleTime       = time.Minute
)

// streams are those of a connection. mu protects idle.
type streams struct {
	absent atomic.Bool // each request is a call

	mu sync.Mutex
	// The last one is used first: few are in use, and the first one has not been for longest.
	idle []*stream
}

// stream carries one request at a time. end gives it up, and whatever waits at it.
type stream struct {
	ctx   context.Context
	end   context.CancelFunc
	timer *time.Timer       // calls end; it runs while a request is under way
	calls grpc.ClientStream // nil: none was made yet
	used  time.Time         // last; while it is idle
}

// handle asks at a stream what would be a call of method with in.
func handle[T any, PBResp message[T]](
	ctx context.Context, c *Client, req *pb.HandleRequest, method string, in proto.Message, from func(PBResp) integration.Outcome,
) (integration.Outcome, error) {
	if !c.streams.absent.Load() {
		resp, err := c.streams.ask(ctx, c.conn, c.limit, req)
		switch {
		case err == nil && resp.GetError() != nil:
			return integration.Outcome{}, knownKind(errorFromPB(resp.GetError()), codes.Internal)
		case err == nil:
			return outcomeFromPB(resp.GetOutcome()), nil
		case status.Code(err) != codes.Unimplemented:
			return integration.Outcome{}, FromStatus(err)
		}
		// A plugin that does without has not looked at the request.
		c.streams.absent.Store(true)
	}
	ctx, cancel := context.WithTimeout(ctx, c.limit)
	defer cancel()
	return invoke(ctx, c.conn, method, in, from)
}

// ask makes one request. Its error is a status, as that of a call is.
func (p *streams) ask(ctx context.Context, conn grpc.ClientConnInterface, limit time.Duration, req *pb.HandleRequest) (*pb.HandleResponse, error) {
	s := p.take(limit)
	stop := context.AfterFunc(ctx, s.end)
	resp, err := s.ask(conn, req)
	inTime, wanted := s.timer.Stop(), stop()
	if err == nil {
		if inTime && wanted { // else the answer came while the stream was given up
			p.put(s)
		}
		return resp, nil
	}
	s.end()
	switch {
	case ctx.Err() != nil:
		return nil, status.FromContextError(ctx.Err()).Err()
	case !inTime:
		return nil, status.FromContextError(context.DeadlineExceeded).Err()
	default:
		return nil, err
	}
}

// take is a stream that nobody else uses, and that is given up after limit.
func (p *streams) take(limit time.Duration) *stream {
	p.mu.Lock()
	defer p.mu.Unlock()
	if last := len(p.idle) - 1; last >= 0 {
		s := p.idle[last]
		p.idle[last], p.idle = nil, p.idle[:last]
		s.timer.Reset(limit)
		return s
	}
	// It outlives the request that it is made for.
	ctx, end := context.WithCancel(context.Background())
	return &stream{ctx: ctx, end: end, timer: time.AfterFunc(limit, end)}
}

// put keeps a stream for the next request, and ends one that was idle for too long.
func (p *streams) put(s *stream) {
	s.used = time.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.idle) > 0 && s.used.Sub(p.idle[0].used) > idleTime {
		p.idle[0].end()
		p.idle = slices.Delete(p.idle, 0, 1)
	}
	if len(p.idle) == maxIdleStreams {
		s.end()
		return
	}
	p.idle = append(p.idle, s)
}

// ask sends a request and waits for its answer. It returns when the stream is given up, too.
func (s *stream) ask(conn grpc.ClientConnInterface, req *pb.HandleRequest) (*pb.HandleResponse, error) {
	if s.calls == nil {
		calls, err := conn.NewStream(s.ctx, &pb.IntegrationService_ServiceDesc.Streams[0], pb.IntegrationService_Handle_FullMethodName)
		if err != nil {
			return nil, err
		}
		s.calls = calls
	}
	// io.EOF says that the plugin has ended the stream; why is what it answers.
	if err := s.calls.SendMsg(req); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	resp := new(pb.HandleResponse)
	if err := s.calls.RecvMsg(resp); err != nil {
		return nil, err
	}
	return resp, nil
}

// Handle implements the service.
func (s *server) Handle(stream grpc.BidiStreamingServer[pb.HandleRequest, pb.HandleResponse]) error {
	for {
		in, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := stream.Send(s.answer(stream.Context(), in)); err != nil {
			return err
		}
	}
}

// answer is what the call would answer that a request stands for.
func (s *server) answer(ctx context.Context, in *pb.HandleRequest) *pb.HandleResponse {
	switch r := in.GetRequest().(type) {
	case *pb.HandleRequest_Webhook:
		return asCall(ctx, s, pb.IntegrationService_HandleWebhook_FullMethodName, r.Webhook, s.HandleWebhook)
	case *pb.HandleRequest_Alert:
		return asCall(ctx, s, pb.IntegrationService_HandleAlert_FullMethodName, r.Alert, s.HandleAlert)
	case *pb.HandleRequest_Task:
		return asCall(ctx, s, pb.IntegrationService_HandleTask_FullMethodName, r.Task, s.HandleTask)
	default:
		return failed(integration.Errorf(integration.KindUnsupported, "the plugin does not know this kind of request: upgrade it"))
	}
}

// asCall has a request pass through what each call passes through.
func asCall[PBReq any, PBResp interface{ GetOutcome() *pb.Outcome }](
	ctx context.Context, s *server, method string, in PBReq, call func(context.Context, PBReq) (PBResp, error),
) *pb.HandleResponse {
	resp, err := s.each(ctx, in, &grpc.UnaryServerInfo{Server: s, FullMethod: method}, func(ctx context.Context, _ any) (any, error) { return call(ctx, in) })
	if err != nil {
		return failed(FromStatus(err))
	}
	return &pb.HandleResponse{Response: &pb.HandleResponse_Outcome{Outcome: resp.(PBResp).GetOutcome()}}
}

func failed(err error) *pb.HandleResponse {
	var e *integration.Error
	errors.As(err, &e)
	return &pb.HandleResponse{Response: &pb.HandleResponse_Error{Error: errorToPB(e)}}
}
