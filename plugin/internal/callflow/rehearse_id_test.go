package callflow

import (
	"strings"
	"testing"

	"github.com/livecallrouting/livecall/host-sdk/integration"
)

// The rules of a router see the id of a call, also of one that never was: always the same.
func TestTheRulesOfARouterSeeACallIDInARehearsal(t *testing.T) {
	t.Parallel()
	c := newCall(t, Defaults())
	c.facts.Now = start
	c.facts.Destinations = []integration.Destination{{ID: "R1", Name: "Router", Kind: integration.DestinationRouter}}
	_, questions := Rehearse(c.c, c.facts, Caller{Number: callerNum, Called: calledNum}, nil, "")
	if len(questions) != 1 || !strings.Contains(string(questions[0].Facts), `"thirdparty_id":"CA00000000000000000000000000000000"`) {
		t.Errorf("questions %+v, want one about the router with the id of a call", questions)
	}
}
