package router

import (
	_ "embed"
	"fmt"
	"strings"
	"sync"
	"time"
	_ "time/tzdata" // zones must be there on machines without a zone database
)

// zoneNames are the names of the IANA zone database, one a line: time.LoadLocation knows them in
// their exact case only, and cannot list them.
//
//go:embed zones.txt
var zoneNames string

// zonesByLowerName is made at the first use: most programs that link this package read few rules.
var zonesByLowerName = sync.OnceValue(func() map[string]string {
	zones := map[string]string{}
	for name := range strings.FieldsSeq(zoneNames) {
		zones[strings.ToLower(name)] = name
	}
	return zones
})

// defaultZone is the zone of functions that name none.
const defaultZone = "Etc/UTC"

// loadZone finds a zone by its name in any case, such as america/new_york. "Local" would mean
// another zone on each host.
func loadZone(name string) (*time.Location, error) {
	exact, known := zonesByLowerName()[strings.ToLower(name)]
	if !known {
		exact = name // the machine may have newer zones than the list
	}
	if name == "" || strings.EqualFold(name, "local") {
		return nil, fmt.Errorf("zone %q: name one, such as America/New_York", name)
	}
	zone, err := time.LoadLocation(exact)
	if err != nil {
		return nil, fmt.Errorf("unknown zone %q: use a name such as America/New_York or Etc/UTC", name)
	}
	return zone, nil
}
