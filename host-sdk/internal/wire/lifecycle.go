package wire

import (
	"context"

	"google.golang.org/grpc"

	pb "github.com/livecallrouting/livecall/host-sdk/internal/pb/livecall/v1"
)

// Service is the full name of the service whose calls a drain refuses and counts.
const Service = "livecall.v1.IntegrationService"

// Lifecycle is what a host may do to a plugin process besides calling its integration.
type Lifecycle struct {
	// Drain refuses new calls, waits for those in progress and returns how many are left when ctx
	// ends.
	Drain func(ctx context.Context) int
	// Profile returns a profile of the process.
	Profile func(ctx context.Context, p Profile) ([]byte, error)
}

// Profile names a profile of a process; see ProfileRequest in lifecycle.proto.
type Profile struct {
	Name    string
	Seconds int
	Debug   int
}

// RegisterLifecycle serves LifecycleService on s.
func RegisterLifecycle(s grpc.ServiceRegistrar, l Lifecycle) {
	pb.RegisterLifecycleServiceServer(s, &lifecycle{is: l})
}

// lifecycle serves a host that ends or examines the process. It is a service of its own, so that a
// drain, which refuses calls of [Service], still lets it through.
type lifecycle struct {
	pb.UnimplementedLifecycleServiceServer

	is Lifecycle
}

// Drain implements the service.
func (l *lifecycle) Drain(ctx context.Context, _ *pb.DrainRequest) (*pb.DrainResponse, error) {
	return &pb.DrainResponse{Remaining: int64(l.is.Drain(ctx))}, nil
}

// Profile implements the service.
func (l *lifecycle) Profile(ctx context.Context, in *pb.ProfileRequest) (*pb.ProfileResponse, error) {
	data, err := l.is.Profile(ctx, Profile{Name: in.GetName(), Seconds: int(in.GetSeconds()), Debug: int(in.GetDebug())})
	if err != nil {
		return nil, Status(err)
	}
	return &pb.ProfileResponse{Data: data}, nil
}
