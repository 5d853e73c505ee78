package vitals

import (
	"testing"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/inforce"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/serve/hosts"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/serve/tell"
	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded/switchboardfile"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// finding is a platform that finds something wrong.
type finding struct{ platform.Platform }

func (finding) Findings() []string { return nil }

// TestEveryCheckSaysWhatToDo has a host with every check that there is.
func TestEveryCheckSaysWhatToDo(t *testing.T) {
	t.Parallel()
	among := hosts.New(hosts.Config{})
	among.Join(struct{ store.Hosts }{}, nil, nil, nil, nil)
	host := Host{
		Platform: finding{}, File: &switchboardfile.Source{}, Mail: &tell.MailWatch{},
		Shared: &inforce.Shared{}, Hosts: among, Clock: clock.NewShared(clock.System()),
	}
	all := host.probes()
	for name := range all {
		if remedies[name] == "" {
			t.Errorf("the check %s does not say what to do", name)
		}
	}
	for name := range remedies {
		if all[name] == nil {
			t.Errorf("there is a remedy for the check %s, which does not exist", name)
		}
	}
}
