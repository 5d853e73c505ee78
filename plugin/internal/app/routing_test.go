package app

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/router"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/call"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/draft"
	"github.com/livecallrouting/livecall/plugin/internal/endpoint"
	"github.com/livecallrouting/livecall/plugin/internal/twiml"
)

// routed makes a host whose one destination is a router with these rules.
func routed(t *testing.T, rules string) *host {
	t.Helper()
	h := newHost(t, nil)
	r, problems := router.Parse([]byte(rules), nil)
	if r == nil {
		t.Fatal(problems)
	}
	names := map[string]string{"support": "Customer Support", "devops": "DevOps", "night": "Night Shift", "sales": "Sales"}
	h.dests = []integration.Destination{{Kind: integration.DestinationRouter, ID: "router", Name: "Router"}}
	h.route = func(q integration.Question) integration.RouteVerdict {
		at := q.At
		if at.IsZero() {
			at = h.now
		}
		v, err := r.Evaluate(q.Facts, at)
		if err != nil {
			t.Errorf("facts %s: %v", q.Facts, err)
		}
		out := integration.RouteVerdict{Notes: v.Notes, Default: []integration.Destination{{Kind: integration.DestinationTeam, ID: "devops", Name: "DevOps"}}}
		for _, id := range v.Receivers {
			out.Receivers = append(out.Receivers, integration.Destination{Kind: integration.DestinationTeam, ID: id, Name: names[id]})
		}
		return out
	}
	return h
}

// TestPT18to26RulesSeeTheCall runs real rules on what a real request gives.
func TestPT18to26RulesSeeTheCall(t *testing.T) {
	t.Parallel()
	to := func(id string) string { return ", actions: [{type: assign, receiver: " + id + "}]}" }
	for name, tt := range map[string]struct {
		rules string
		form  []string
		team  string // as routed to
	}{
		"area code, in the alert's data": {`[{match: {alert.additional_data: {$elemMatch: {label: Caller Phone, value: {$regex: '^\+1202'}}}}` + to("support"), nil, "support"},
		"another area code":              {`[{match: {alert.additional_data: {$elemMatch: {label: Caller Phone, value: {$regex: '^\+1303'}}}}` + to("support"), nil, "devops"},
		"field by format":                {`[{match: {alert.additional_data.format: phone}` + to("support"), nil, "support"},
		"called number, by the request":  {`[{match: {log.data.To: "` + calledNum + `"}` + to("support"), nil, "support"},
		"any parameter of the request":   {`[{match: {log.data.StirVerstat: {$regex: "^TN-Validation-Passed"}, log_parsed: true}` + to("support"), []string{"StirVerstat", "TN-Validation-Passed-A"}, "support"},
		"a parameter that is not there":  {`[{match: {log.data.StirVerstat: {$exists: true}}` + to("support"), nil, "devops"},
		"country":                        {`[{match: {call.country: {$in: [DE, AT]}}` + to("support"), []string{"FromCountry", "DE"}, "support"},
		"city and state":                 {`[{match: {call.city: WASHINGTON, call.state: DC}` + to("support"), []string{"FromCity", "WASHINGTON", "FromState", "DC"}, "support"},
		"withheld":                       {`[{match: {call.withheld: true}` + to("support"), []string{"From", "anonymous"}, "support"},
		"SIP caller":                     {`[{match: {call.address: {$regex: "@example[.]com$"}, log.data.From: "sip:alice@example.com"}` + to("support"), []string{"From", "sip:alice@example.com"}, "support"},
		"alert":                          {`[{match: {alert.urgency: high, alert.status: queued, alert.source_id: int_1, alert.thirdparty_id: ` + callSID + `, alert.tags: {$size: 0}}` + to("support"), nil, "support"},
		"title":                          {`[{match: {alert.title: "Incoming call from ` + callerNum + `"}` + to("support"), nil, "support"},
		"created":                        {`[{match: {alert.created: {$gte: 1700000000}, alert.destination_ids: router}` + to("support"), nil, "support"},
		"PT21 first match wins":          {`[{match: {call.country: US}` + to("sales") + `, {match: {always: true}` + to("support"), nil, "support"},
		// It is 10:00 UTC.
		"time":                      {`[{match: {$timeBetween: {timezone: Europe/Berlin, starttime: "10:59 am", endtime: "11:01 am"}}` + to("night"), nil, "night"},
		"nothing matches":           {`[{match: {call.country: XX}` + to("support"), nil, "devops"},
		"our token is no parameter": {`[{match: {$or: [{log.data.t: {$exists: true}}, {log.data.s: {$exists: true}}]}` + to("support"), nil, "devops"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := routed(t, tt.rules+"]")
			find[twiml.Enqueue](t, h.post(endpointURL+"?s=1&t=x", append([]string{"CallStatus", "ringing"}, tt.form...)...))
			h.pass(time.Second)
			for _, c := range h.cmds {
				if c.Kind == integration.AlertRoute {
					if diff := cmp.Diff([]string{tt.team}, c.Teams); diff != "" {
						t.Error(diff)
					}
					return
				}
			}
			t.Errorf("not routed: %s", h.kinds())
		})
	}
}

// TestPT26RouterTeamsKeepTheirOrder: the order in which a rule assigns is the order in which the
// menu speaks.
func TestPT26RouterTeamsKeepTheirOrder(t *testing.T) {
	t.Parallel()
	h := routed(t, `[{match: {always: true}, actions: [{type: assign, receiver: [support, devops]}, {type: ignore}, {type: assign, receiver: [night, support]}]}]`)
	doc := h.post(endpointURL, "CallStatus", "ringing")
	says(t, doc, "Press 1 for Customer Support. Press 2 for DevOps. Press 3 for Night Shift.")
	noted := false
	for _, c := range h.cmds {
		noted = noted || c.Kind == integration.AlertLog && strings.Contains(c.Text, "the action ignore does nothing")
	}
	if !noted {
		t.Error("the skipped action is not noted")
	}
}

func TestRoutingFactsHoldNoSecret(t *testing.T) {
	t.Parallel()
	h := newHost(t, nil)
	facts := string(draft.RoutingFacts(h.facts(callSID), call.Caller{Sid: callSID, Number: callerNum},
		endpoint.Parameters(map[string][]string{"From": {callerNum}, "t": {"token"}, "s": {"1"}})))
	for _, secret := range []string{"secret1", authToken, keySID, "token"} {
		if strings.Contains(facts, `"`+secret+`"`) {
			t.Errorf("%s in %s", secret, facts)
		}
	}
	if !json.Valid([]byte(facts)) {
		t.Error(facts)
	}
}
