package apikit

import (
	"log/slog"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/people"
	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// Common is what all parts of the API work on. All fields but Tenant are required.
type Common struct {
	Store     store.Store
	Platform  platform.Platform
	People    *people.People
	PublicURL string // without trailing slash, for absolute links in answers
	Tenant    string // may be ""
	Clock     clock.Clock
	Logger    *slog.Logger
}

// Scope is the scope of an integration; "" for questions about the whole installation.
func (c Common) Scope(integrationID string) platform.Scope {
	return platform.Scope{Tenant: c.Tenant, Integration: integrationID}
}
