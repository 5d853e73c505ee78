package wire

import (
	"context"

	"google.golang.org/grpc"

	pb "github.com/livecallrouting/livecall/host-sdk/internal/pb/livecall/v1"
)

// Service is the full name of the service whose calls a drain refuses and counts.
const Service = "livecall.v1.IntegrationService"

// RegisterLifecycle serves LifecycleService on s. drain refuses new calls, waits for those in
// progress and returns how many are left when ctx ends.
func RegisterLifecycle(s grpc.ServiceRegistrar, drain func(ctx context.Context) int) {
	pb.RegisterLifecycleServiceServer(s, &lifecycle{drain: drain})
}

type lifecycle struct {
	pb.UnimplementedLifecycleServiceServer

	drain func(ctx context.Context) int
}

// Drain implements the service.
func (l *lifecycle) Drain(ctx context.Context, _ *pb.DrainRequest) (*pb.DrainResponse, error) {
	return &pb.DrainResponse{Remaining: int64(l.drain(ctx))}, nil
}
