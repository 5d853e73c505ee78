package twilio

import "slices"

// Region is where Twilio processes the account's calls. Regions are isolated from one another:
// keys, auth tokens, numbers, queues and recordings of one are unknown to the others (Twilio docs:
// global-infrastructure).
type Region struct {
	ID   string // as stored in options, such as "ashburn.us1"
	Name string // for people
	Edge string
	Code string
}

// regions in the order of the form. A region needs its edge: hosts without one stopped working in
// April 2026 (Twilio docs: global-infrastructure/using-the-twilio-rest-api-in-a-non-us-region).
var regions = []Region{
	{ID: "ashburn.us1", Name: "US1 (Ashburn)", Edge: "ashburn", Code: "us1"},
	{ID: "dublin.ie1", Name: "IE1 (Dublin)", Edge: "dublin", Code: "ie1"},
	{ID: "sydney.au1", Name: "AU1 (Sydney)", Edge: "sydney", Code: "au1"},
}

// Regions lists the regions on offer, in the order of the form.
func Regions() []Region { return slices.Clone(regions) }

// RegionByID finds a region. "" means the first. False for a region that the form does not offer.
func RegionByID(id string) (Region, bool) {
	if id == "" {
		return regions[0], true
	}
	i := slices.IndexFunc(regions, func(r Region) bool { return r.ID == id })
	if i < 0 {
		return Region{}, false
	}
	return regions[i], true
}

// Host returns the host name of the region's API.
func (r Region) Host() string { return "api." + r.Edge + "." + r.Code + ".twilio.com" }
