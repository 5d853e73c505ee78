package twilio

import "sort"

// Region is where Twilio processes the account's calls. Regions are isolated from one another:
// keys, auth tokens, numbers, queues and recordings of one are unknown to the others (Twilio docs:
// global-infrastructure).
type Region struct {
	ID   string // as stored in options, such as "ashburn.us1"
	Name string // for people
	Edge string
	Code string
}

// The regions on offer. A region needs its edge: hosts without one stopped working in April 2026
// (Twilio docs: global-infrastructure/using-the-twilio-rest-api-in-a-non-us-region).
var regions = map[string]Region{
	"ashburn.us1": {ID: "ashburn.us1", Name: "US1 (Ashburn)", Edge: "ashburn", Code: "us1"},
	"dublin.ie1":  {ID: "dublin.ie1", Name: "IE1 (Dublin)", Edge: "dublin", Code: "ie1"},
	"sydney.au1":  {ID: "sydney.au1", Name: "AU1 (Sydney)", Edge: "sydney", Code: "au1"},
}

// DefaultRegion is taken when none is chosen.
const DefaultRegion = "ashburn.us1"

// RegionByID finds a region; "" is [DefaultRegion].
func RegionByID(id string) (Region, bool) {
	if id == "" {
		id = DefaultRegion
	}
	r, ok := regions[id]
	return r, ok
}

// RegionIDs lists the regions on offer, sorted.
func RegionIDs() []string {
	var ids []string
	for id := range regions {
		ids = append(ids, id)
	}
	sort.Strings(ids)
	return ids
}

// Host is the region's API host.
func (r Region) Host() string { return "api." + r.Edge + "." + r.Code + ".twilio.com" }
