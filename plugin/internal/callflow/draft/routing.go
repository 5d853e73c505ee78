package draft

import (
	"encoding/json"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/call"
)

// RoutingFacts is what a router's rules see, as JSON: the alert as it will be, in the words of
// PagerTree's alerts (PagerTree docs: integration guides, outgoing webhook); log.data, the
// parameters of Twilio's request as they came; and the call in plain words. Names stay as they are:
// people's rules match them. A rule sees the call before anything was chosen.
func RoutingFacts(f integration.Facts, c call.Caller, parameters map[string]string) []byte {
	// Empty lists and maps are there as well: a rule that looks into one must find none, not fail.
	draft := New(c)
	if parameters == nil {
		parameters = map[string]string{}
	}
	fields := []map[string]string{}
	for _, x := range draft.Fields {
		fields = append(fields, map[string]string{"label": x.Label, "value": x.Value, "format": string(x.Format), "type": string(x.Format)})
	}
	// Ids and no names: rules name teams by their ids.
	destinations := []string{}
	for _, d := range f.Destinations {
		destinations = append(destinations, d.ID)
	}
	out, err := json.Marshal(map[string]any{
		"always": true,
		"alert": map[string]any{
			"thirdparty_id": c.Sid, "title": draft.Title, "description": draft.Description,
			"status": string(integration.AlertQueued), "urgency": f.Instance.Urgency,
			"created": f.Now.Unix(), "createdAt": f.Now.UTC().Format(time.RFC3339),
			"source_id": f.Instance.ID, "source": map[string]string{"id": f.Instance.ID, "name": f.Instance.Name},
			"destination_ids": destinations, "additional_data": fields,
			"tags": []string{}, "meta": map[string]any{}, "responses": []any{}, "stakeholder_ids": []string{}, "handoffs": []any{},
		},
		"log":        map[string]any{"data": parameters},
		"log_parsed": true,
		"call": map[string]any{
			"from": c.Number, "to": c.Called, "withheld": c.Withheld, "address": c.Address, "name": c.Name,
			"city": c.City, "state": c.State, "zip": c.Zip, "country": c.Country, "forwarded_from": c.Forward,
		},
	})
	if err != nil {
		return []byte("{}") // maps of texts and numbers do not fail
	}
	return out
}
