package serve

import (
	"context"
	"strings"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/inforce"
	"github.com/livecallrouting/livecall/host-sdk/engine"
)

// Notices that are not the engine's.
const (
	hostNotice     = "host"      // another host has begun to run
	platformNotice = "platform " // followed by what the adapter to the platform says
)

// sharedNotices hears what other hosts say to the parts, beside what they say to the engine.
type sharedNotices struct {
	engine.Notices
	parts *parts
	hosts *presence
}

// Run implements engine.Notices.
func (n sharedNotices) Run(ctx context.Context, hear func(notice string)) error {
	return n.Notices.Run(ctx, func(notice string) {
		adapter, isAdapters := strings.CutPrefix(notice, platformNotice)
		switch {
		case notice == inforce.Notice:
			n.parts.shared.Heard()
		case notice == hostNotice:
			n.hosts.heard()
		case isAdapters:
			if p, ok := n.parts.platform.(interface{ Heard(notice string) }); ok {
				p.Heard(adapter)
			}
		default:
			if notice == "" { // something may have been lost
				n.parts.shared.Heard()
				n.hosts.heard()
			}
			hear(notice)
		}
	})
}
