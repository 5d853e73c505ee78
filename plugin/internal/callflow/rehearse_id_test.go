package callflow

import (
	"strings"
	"testing"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/call"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/config"
)

// The rules of a router see the id of a call, also of one that never was: always the same.
func TestTheRulesOfARouterSeeACallIDInARehearsal(t *testing.T) {
	t.Parallel()
	c := newCall(t, config.Defaults())
	c.facts.Now = start
	c.facts.Destinations = []integration.Destination{{ID: "R1", Name: "Router", Kind: integration.DestinationRouter}}
	_, questions := Rehearse(c.c, c.facts, call.Caller{Number: callerNum, Called: calledNum}, nil, "")
	if len(questions) != 1 || !strings.Contains(string(questions[0].Facts), `"thirdparty_id":"CA00000000000000000000000000000000"`) {
		t.Errorf("questions %+v, want one about the router with the id of a call", questions)
	}
}
