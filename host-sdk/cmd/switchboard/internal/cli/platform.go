package cli

import "github.com/livecallrouting/livecall/host-sdk/platform/remote"

// platformOpenAPICommand is platform openapi.
type platformOpenAPICommand struct{}

// Run prints what a platform behind HTTP serves.
func (platformOpenAPICommand) Run(s *surroundings) error {
	_, err := s.stdout.Write(remote.OpenAPI)
	return err
}
