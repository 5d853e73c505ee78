package wire

import (
	"context"
	"log/slog"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	pb "github.com/livecallrouting/livecall/host-sdk/internal/pb/livecall/v1"
)

// RegisterServer serves impl on s, which is to use [Codec]. Errors whose text does not cross are
// written to log. each is what s has each call pass through: requests of a stream do, too.
func RegisterServer(s grpc.ServiceRegistrar, impl integration.Integration, each grpc.UnaryServerInterceptor, log *slog.Logger) {
	pb.RegisterIntegrationServiceServer(s, &server{impl: impl, each: each, log: log})
}

// server hands each method to impl. The embedded type answers methods that a newer host may call
// with Unimplemented, which becomes unsupported there.
type server struct {
	pb.UnimplementedIntegrationServiceServer

	impl integration.Integration
	each grpc.UnaryServerInterceptor
	log  *slog.Logger
}

// serve is the whole of every method: from the wire, the call, to the wire. An error of unknown
// origin is logged here, because its text stays here: it may hold anything, also a secret.
func serve[PBReq, PBResp proto.Message, Req, Resp any](
	ctx context.Context, s *server, name string, in PBReq,
	from func(PBReq) Req, call func(context.Context, Req) (Resp, error), to func(Resp) PBResp,
) (PBResp, error) {
	resp, err := call(ctx, from(in))
	if err != nil {
		if Unknown(err) {
			s.log.ErrorContext(ctx, "call failed", "call", name, "error", err)
		}
		var none PBResp
		return none, Status(err)
	}
	return to(resp), nil
}

// Describe implements the service.
func (s *server) Describe(ctx context.Context, in *pb.DescribeRequest) (*pb.DescribeResponse, error) {
	return serve(ctx, s, "Describe", in, describeRequestFromPB, s.impl.Describe, describeResponseToPB)
}

// OptionsSchema implements the service.
func (s *server) OptionsSchema(ctx context.Context, in *pb.OptionsSchemaRequest) (*pb.OptionsSchemaResponse, error) {
	return serve(ctx, s, "OptionsSchema", in, optionsSchemaRequestFromPB, s.impl.OptionsSchema, optionsSchemaToPB)
}

// ValidateOptions implements the service.
func (s *server) ValidateOptions(ctx context.Context, in *pb.ValidateOptionsRequest) (*pb.ValidateOptionsResponse, error) {
	return serve(ctx, s, "ValidateOptions", in, validateRequestFromPB, s.impl.ValidateOptions, validateResponseToPB)
}

// HandleWebhook implements the service.
func (s *server) HandleWebhook(ctx context.Context, in *pb.HandleWebhookRequest) (*pb.HandleWebhookResponse, error) {
	return serve(ctx, s, "HandleWebhook", in, webhookRequestFromPB, s.impl.HandleWebhook, webhookResponseToPB)
}

// HandleAlert implements the service.
func (s *server) HandleAlert(ctx context.Context, in *pb.HandleAlertRequest) (*pb.HandleAlertResponse, error) {
	return serve(ctx, s, "HandleAlert", in, alertRequestFromPB, s.impl.HandleAlert, alertResponseToPB)
}

// HandleTask implements the service.
func (s *server) HandleTask(ctx context.Context, in *pb.HandleTaskRequest) (*pb.HandleTaskResponse, error) {
	return serve(ctx, s, "HandleTask", in, taskRequestFromPB, s.impl.HandleTask, taskResponseToPB)
}

// Perform implements the service.
func (s *server) Perform(ctx context.Context, in *pb.PerformRequest) (*pb.PerformResponse, error) {
	return serve(ctx, s, "Perform", in, performRequestFromPB, s.impl.Perform, taskResultToPB)
}

// RunAction implements the service.
func (s *server) RunAction(ctx context.Context, in *pb.RunActionRequest) (*pb.RunActionResponse, error) {
	return serve(ctx, s, "RunAction", in, actionRequestFromPB, s.impl.RunAction, actionResultToPB)
}
