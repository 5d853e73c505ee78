package doctor

import (
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/inspect"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/manifest"
)

// Clock says whether the system keeps its clock right: schedules and signatures go by it.
func Clock() inspect.Line {
	switch kept, known := clockKept(); {
	case !known:
		return ok("whether the clock is kept right is not known on this system: compare it with another one")
	case !kept:
		return warning("the clock of this machine is not synchronized: run chrony or systemd-timesyncd, as shifts change and signatures are checked by it")
	}
	return ok("the clock of this machine is synchronized")
}

// Plugins says of each plugin of a folder whether the next start would take it. It reads and hashes
// each executable, and starts none.
func Plugins(dir string) (lines []inspect.Line) {
	found, wrong := manifest.List(dir)
	for _, err := range wrong {
		lines = append(lines, failure("%s", err))
	}
	for _, p := range found {
		_, err := manifest.Verify(p.Dir)
		if err == nil {
			err = p.Manifest.FitsHost(integration.ProtocolVersion)
		}
		if err != nil {
			lines = append(lines, failure("%s", err))
			continue
		}
		lines = append(lines, ok("plugin %s %s is whole", p.Manifest.ID, p.Manifest.Version))
	}
	if len(lines) == 0 {
		lines = append(lines, failure("%s contains no plugin: run switchboard plugin install", dir))
	}
	return lines
}
