package main

import (
	"testing"

	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/platform/platformtest"
)

func TestDesk(t *testing.T) {
	d := newDesk()
	platformtest.Test(t, platformtest.Config{New: func(*testing.T) platformtest.Fixture {
		return platformtest.Fixture{
			Platform: d, Scope: platform.Scope{Integration: "int-1"},
			Team: "devops", OtherTeam: "support", Users: [2]string{"alice", "bob"},
		}
	}})
}
