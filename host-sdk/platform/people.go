package platform

import (
	"context"

	"github.com/livecallrouting/livecall/host-sdk/integration"
)

// UserByEmail is implemented by platforms that find a person by an e-mail address, so that an
// account of the host needs no id of the platform's.
type UserByEmail interface {
	// UserByEmail reads the person with this address, whatever its case. None: not_found.
	UserByEmail(ctx context.Context, scope Scope, email string) (integration.User, error)
}
