package wire_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/livecallrouting/livecall/host-sdk/platform/remote/wire"
)

func TestUnknownMembersAreListedWithTheLikelyOnes(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		body string
		into any
		want []wire.UnknownMember
	}{
		"all known":          {`{"protocols":[1],"name":"x","hints":"none","limits":{"concurrent":2}}`, wire.Protocol{}, nil},
		"another style":      {`{"unroutedAlerts":true,"Acknowledge-As":true}`, wire.Capabilities{}, []wire.UnknownMember{{"Acknowledge-As", "acknowledge_as"}, {"unroutedAlerts", "unrouted_alerts"}}},
		"another case":       {`{"ID":"a","name":"A"}`, wire.User{}, []wire.UnknownMember{{"ID", "id"}}},
		"a letter":           {`{"id":"a","name":"A","phone":["+12025550143"]}`, wire.User{}, []wire.UnknownMember{{"phone", "phones"}}},
		"the right one too":  {`{"id":"a","name":"A","Name":"A"}`, wire.User{}, []wire.UnknownMember{{"Name", ""}}},
		"like nothing":       {`{"id":"a","name":"A","zip":"20001"}`, wire.User{}, []wire.UnknownMember{{"zip", ""}}},
		"in a list, once":    {`{"on_call":[{"layer":1,"user":{"id":"a","Name":"A"}},{"layer":1,"user":{"id":"b","Name":"B"}}]}`, wire.OnCallAnswer{}, []wire.UnknownMember{{"on_call[].user.Name", "name"}}},
		"another type there": {`{"on_call":"nobody"}`, wire.OnCallAnswer{}, nil},
		"a pointer":          {`{"keys":"x"}`, &wire.AlertSnapshot{}, []wire.UnknownMember{{"keys", "key"}}},
		"no JSON":            {`{`, wire.User{}, nil},
	} {
		if diff := cmp.Diff(c.want, wire.UnknownMembers([]byte(c.body), c.into)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
