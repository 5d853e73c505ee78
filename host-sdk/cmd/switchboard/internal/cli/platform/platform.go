package platform

import (
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/cli/command"
	"github.com/livecallrouting/livecall/host-sdk/platform/remote"
)

// OpenAPI is platform openapi.
type OpenAPI struct{}

// Run prints what a platform behind HTTP serves.
func (OpenAPI) Run(s *command.Surroundings) error {
	_, err := s.Stdout.Write(remote.OpenAPI)
	return err
}
