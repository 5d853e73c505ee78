package platformcheck

import (
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/platformcheck/result"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/platformcheck/suite"
)

// Unexplained lists the explanations that belong to no check of a report.
func Unexplained(r *result.Report) []string {
	ran := map[string]bool{}
	for c := range r.Each() {
		ran[c.Name] = true
	}
	var out []string
	for name := range suite.About {
		if !ran[name] {
			out = append(out, name)
		}
	}
	return out
}
