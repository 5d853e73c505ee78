package hosts

import (
	"context"
	"strings"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/inforce"
	"github.com/livecallrouting/livecall/host-sdk/engine"
)

// Notices that are not the engine's.
const (
	HostNotice     = "host"      // another host has begun to run
	PlatformNotice = "platform " // followed by what the adapter to the platform says
)

// Notices hears what other hosts say to the parts, beside what they say to the engine. The engine
// runs it and gets all notices that are not for others.
type Notices struct {
	engine.Notices
	Shared   *inforce.Shared // the switchboard file in force
	Platform any             // hears notices of its own, if it has a method Heard
	Hosts    *Presence
}

// Run implements engine.Notices. None of the parts waits: they look for themselves a moment later.
func (n Notices) Run(ctx context.Context, hear func(notice string)) error {
	return n.Notices.Run(ctx, func(notice string) {
		adapter, isAdapters := strings.CutPrefix(notice, PlatformNotice)
		switch {
		case notice == inforce.Notice:
			n.Shared.Heard()
		case notice == HostNotice:
			n.Hosts.heard()
		case isAdapters:
			if p, ok := n.Platform.(interface{ Heard(notice string) }); ok {
				p.Heard(adapter)
			}
		default:
			if notice == "" { // something may have been lost
				n.Shared.Heard()
				n.Hosts.heard()
			}
			hear(notice)
		}
	})
}
