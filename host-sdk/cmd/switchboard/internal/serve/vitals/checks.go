package vitals

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/health"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/inforce"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/wording"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded/switchboardfile"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// overdueFrom is how late work in the outbox must be to be called overdue. Below it lie a worker's
// ordinary waits for its turn.
const overdueFrom = time.Minute

// overdueSince is the time before which work is overdue. The minute is one of the wall clock,
// however fast the host's clock runs.
func (s Host) overdueSince() time.Time {
	scale := float64(time.Second) / float64(s.Clock.Real(time.Second))
	return s.Clock.Now().Add(-time.Duration(float64(overdueFrom) * scale))
}

// canFail names the checks that can fail: without store, plugin or the embedded platform callers
// hear the fallback answer, or nobody can be found for them, and another host may do better. The
// others only degrade: callers are answered all the same, and taking away the host that serves them
// would help nobody. A platform that is a server of its own is away from all hosts alike.
func (s Host) canFail() map[string]bool {
	return map[string]bool{"store": true, "plugin": true, "platform": s.PlatformPage == ""}
}

// probes are the checks by name. Which there are depends on the host's parts, so that none is asked
// for what is not there.
func (s Host) probes() map[string]health.Probe {
	out := map[string]health.Probe{
		"store":    s.checkStore,
		"plugin":   s.checkPlugins,
		"platform": s.checkPlatform,
		"work":     s.checkWork,
	}
	if finder, ok := s.Platform.(platform.Finder); ok {
		out["platform_findings"] = func(context.Context) health.Check { return checkFindings(finder) }
	}
	if s.File != nil {
		out["file"] = func(context.Context) health.Check { return checkFile(s.File.Status()) }
	}
	if s.Shared != nil {
		out["shared_file"] = s.Shared.Check
	}
	if !s.Hosts.Alone() {
		out["hosts"] = s.Hosts.Check
	}
	if shared, ok := s.Clock.(*clock.Shared); ok {
		out["clock"] = func(context.Context) health.Check { return checkClock(shared.Offset()) }
	}
	if s.Mail != nil {
		out["mail"] = func(context.Context) health.Check { return s.Mail.Check() }
	}
	return out
}

// NewReadiness makes the checks of a host.
func NewReadiness(s Host) *health.Readiness {
	return health.New(health.Config{Probes: s.probes(), CanFail: s.canFail(), Closing: s.Closing, Clock: s.Clock, Logger: s.Logger})
}

// checkStore writes to the store: a full disk or a database that another program holds can often
// still be read. The write is one row, and a file beside the database for the room on its disk.
func (s Host) checkStore(ctx context.Context) health.Check {
	if err := s.Store.Ping(ctx); err != nil {
		return health.Failing("The database cannot be written, so callers hear the fallback answer", err)
	}
	return health.OK("The database can be written.")
}

// checkPlugins asks every installed plugin for an answer. The first that does not answer is named;
// its callers are not served.
func (s Host) checkPlugins(ctx context.Context) health.Check {
	ids := slices.Sorted(slices.Values(s.Plugins.PluginIDs()))
	if len(ids) == 0 {
		return health.Check{State: health.StateFailing, Message: "No plugin is installed, so no call can be handled."}
	}
	for _, id := range ids {
		plugin, found := s.Plugins.Plugin(id)
		if !found {
			return health.Check{State: health.StateFailing, Message: "The plugin " + id + " is not running, so its callers hear the fallback answer."}
		}
		if _, err := plugin.Describe(ctx, integration.DescribeRequest{}); err != nil {
			return health.Failing("The plugin "+id+" does not answer, so its callers hear the fallback answer", err)
		}
	}
	return health.OK("Every plugin answers.")
}

// checkPlatform asks the platform, which knows whom to ring. It gives up a little before the check
// is abandoned, so that the check says itself that the platform hangs.
func (s Host) checkPlatform(ctx context.Context) health.Check {
	ctx, cancel := context.WithTimeout(ctx, health.CheckTime*3/4)
	defer cancel()
	err := s.Platform.Health(ctx)
	switch {
	case err != nil && s.PlatformPage != "":
		check := health.Failing("The platform cannot be used, so callers wait until it can", err)
		check.State = health.StateDegraded
		return check
	case err != nil:
		return health.Failing("The platform cannot be used, so nobody can be found for callers", err)
	}
	return health.OK("Teams and alerts can be read.")
}

// checkFindings tells in the platform's own words what it finds wrong although it answers.
func checkFindings(finder platform.Finder) health.Check {
	if found := finder.Findings(); len(found) > 0 {
		return health.Check{State: health.StateDegraded, Message: "The platform answers, but there is trouble: " + wording.Sentence(strings.Join(found, "; "))}
	}
	return health.OK("The platform finds nothing wrong.")
}

// checkWork looks for work that should have been done a while ago. Overdue work is a sign of
// workers that hang, or of a service that does not answer.
func (s Host) checkWork(ctx context.Context) health.Check {
	overdue, err := s.Store.OverdueItems(ctx, s.overdueSince())
	switch {
	case err != nil:
		return health.Check{State: health.StateDegraded, Message: "The outbox cannot be read: " + wording.Sentence(wording.Plain(err))}
	case len(overdue) == 0:
		return health.OK("No work is overdue.")
	}
	return health.Check{State: health.StateDegraded, Message: "Work in the outbox is more than a minute overdue, so people may be called or mailed late: " + countOf(overdue) + "."}
}

// countOf lists numbers by kind, such as "2 mail, 1 task".
func countOf(items map[store.ItemKind]int) string {
	var parts []string
	for _, kind := range slices.Sorted(maps.Keys(items)) {
		parts = append(parts, fmt.Sprintf("%d %s", items[kind], kind))
	}
	return strings.Join(parts, ", ")
}

// offsetNoticed is a difference between the machine's clock and the database's that somebody should
// look at.
const offsetNoticed = 2 * time.Second

// checkClock says whether the machine's clock shows what the database's does, by is how far that is
// ahead. Calls go by the database's clock either way; log lines and certificates do not.
func checkClock(by time.Duration) health.Check {
	if by.Abs() <= offsetNoticed {
		return health.OK("The clock of this machine agrees with the database's.")
	}
	behind := "behind"
	if by < 0 {
		behind = "ahead of"
	}
	return health.Check{State: health.StateDegraded, Message: fmt.Sprintf("The clock of this machine is %s %s the database's, by which calls and shifts go.", by.Abs().Round(time.Millisecond), behind)}
}

// checkFile says whether the switchboard file on disk is the one in force. Callers are served by
// the old one, so it only degrades.
func checkFile(st switchboardfile.Status) health.Check {
	if len(st.Refused) == 0 {
		return health.OK("The switchboard file on disk is in force.")
	}
	return health.Check{State: health.StateDegraded, Message: inforce.NotInForce(st.Path, st.Refused), Since: st.RefusedSince}
}
