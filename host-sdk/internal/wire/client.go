package wire

import (
	"context"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	pb "github.com/livecallrouting/livecall/host-sdk/internal/pb/livecall/v1"
)

var _ integration.Integration = (*Client)(nil)

// Client is an integration at the other end of a connection. Its errors are *integration.Error; see
// [FromStatus].
type Client struct {
	conn      grpc.ClientConnInterface
	limit     time.Duration // of the Handle methods
	streams   streams
	lifecycle pb.LifecycleServiceClient
}

// ClientConfig is what a [Client] is told of its connection.
type ClientConfig struct {
	// HandleTimeout ends each call of HandleWebhook, HandleAlert and HandleTask, or its context
	// does if that ends sooner.
	HandleTimeout time.Duration
	// NoStreams makes a call of each request, for who wants to see them one by one.
	NoStreams bool
}

// NewClient returns a client on conn, which stays the caller's and is to use [CallOptions].
func NewClient(conn grpc.ClientConnInterface, cfg ClientConfig) *Client {
	c := &Client{conn: conn, limit: cfg.HandleTimeout, lifecycle: pb.NewLifecycleServiceClient(conn)}
	c.streams.absent.Store(cfg.NoStreams)
	return c
}

// message is a pointer to a message of the type T.
type message[T any] interface {
	*T
	proto.Message
}

// call is the whole of every method: to the wire, the call, from the wire. Its messages are free as
// soon as it returns, so from must not keep anything of the request. It does without the generated
// client, which makes a list of options for each call: [CallOptions] go with the connection.
func call[T any, PBReq proto.Message, PBResp message[T], Req, Resp any](
	ctx context.Context, conn grpc.ClientConnInterface, method string, req Req, to func(*messages, Req) PBReq, from func(PBResp) Resp,
) (Resp, error) {
	// Get gives messages that nobody else has, so concurrent calls do not meet.
	m := freeMessages.Get().(*messages)
	defer m.free()
	return invoke(ctx, conn, method, to(m, req), from)
}

// invoke is a call whose request is a message already.
func invoke[T any, PBResp message[T], Resp any](ctx context.Context, conn grpc.ClientConnInterface, method string, req proto.Message, from func(PBResp) Resp) (Resp, error) {
	out := PBResp(new(T))
	if err := conn.Invoke(ctx, method, req, out); err != nil {
		var none Resp
		return none, FromStatus(err)
	}
	return from(out), nil
}

// CallOptions are those that each call of a [Client] has, for its connection.
func CallOptions() []grpc.CallOption {
	return []grpc.CallOption{grpc.ForceCodecV2(Codec()), grpc.StaticMethod()}
}

// Describe implements integration.Integration.
func (c *Client) Describe(ctx context.Context, req integration.DescribeRequest) (integration.Description, error) {
	return call(ctx, c.conn, pb.IntegrationService_Describe_FullMethodName, req, describeRequestToPB, describeResponseFromPB)
}

// OptionsSchema implements integration.Integration.
func (c *Client) OptionsSchema(ctx context.Context, req integration.OptionsSchemaRequest) (integration.OptionsSchema, error) {
	return call(ctx, c.conn, pb.IntegrationService_OptionsSchema_FullMethodName, req, optionsSchemaRequestToPB, optionsSchemaFromPB)
}

// ValidateOptions implements integration.Integration.
func (c *Client) ValidateOptions(ctx context.Context, req integration.ValidateOptionsRequest) (integration.ValidateOptionsResponse, error) {
	return call(ctx, c.conn, pb.IntegrationService_ValidateOptions_FullMethodName, req, validateRequestToPB, validateResponseFromPB)
}

// HandleWebhook implements integration.Integration.
func (c *Client) HandleWebhook(ctx context.Context, req integration.WebhookRequest) (integration.Outcome, error) {
	m := freeMessages.Get().(*messages)
	defer m.free()
	in := webhookRequestToPB(m, req)
	return handle(ctx, c, &pb.HandleRequest{Request: &pb.HandleRequest_Webhook{Webhook: in}}, pb.IntegrationService_HandleWebhook_FullMethodName, in, webhookResponseFromPB)
}

// HandleAlert implements integration.Integration.
func (c *Client) HandleAlert(ctx context.Context, req integration.AlertRequest) (integration.Outcome, error) {
	m := freeMessages.Get().(*messages)
	defer m.free()
	in := alertRequestToPB(m, req)
	return handle(ctx, c, &pb.HandleRequest{Request: &pb.HandleRequest_Alert{Alert: in}}, pb.IntegrationService_HandleAlert_FullMethodName, in, alertResponseFromPB)
}

// HandleTask implements integration.Integration.
func (c *Client) HandleTask(ctx context.Context, req integration.TaskRequest) (integration.Outcome, error) {
	m := freeMessages.Get().(*messages)
	defer m.free()
	in := taskRequestToPB(m, req)
	return handle(ctx, c, &pb.HandleRequest{Request: &pb.HandleRequest_Task{Task: in}}, pb.IntegrationService_HandleTask_FullMethodName, in, taskResponseFromPB)
}

// Perform implements integration.Integration.
func (c *Client) Perform(ctx context.Context, req integration.PerformRequest) (integration.TaskResult, error) {
	return call(ctx, c.conn, pb.IntegrationService_Perform_FullMethodName, req, performRequestToPB, taskResultFromPB)
}

// RunAction implements integration.Integration.
func (c *Client) RunAction(ctx context.Context, req integration.ActionRequest) (integration.ActionResult, error) {
	return call(ctx, c.conn, pb.IntegrationService_RunAction_FullMethodName, req, actionRequestToPB, actionResultFromPB)
}

// Drain makes the plugin refuse new calls and waits for those in progress, at most until ctx's
// deadline. It returns how many are still in progress.
func (c *Client) Drain(ctx context.Context) (int, error) {
	resp, err := c.lifecycle.Drain(ctx, &pb.DrainRequest{})
	if err != nil {
		return 0, FromStatus(err)
	}
	return int(resp.GetRemaining()), nil
}

// Profile asks the plugin process for a profile of itself. A plugin that has none: unsupported.
func (c *Client) Profile(ctx context.Context, p Profile) ([]byte, error) {
	resp, err := c.lifecycle.Profile(ctx, &pb.ProfileRequest{Name: p.Name, Seconds: int64(p.Seconds), Debug: int64(p.Debug)})
	if err != nil {
		return nil, FromStatus(err)
	}
	return resp.GetData(), nil
}
