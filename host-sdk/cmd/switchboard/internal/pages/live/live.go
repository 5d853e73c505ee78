package live

import (
	"embed"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/pages/layout"
	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded/shifts"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded/switchboardfile"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

//go:embed templates
var templates embed.FS

// Live serves the pages that are kept current. The optional fields are what the platform can do
// besides platform.Platform; handlers check them.
type Live struct {
	site    *layout.Site
	store   store.Store
	browser platform.AlertBrowser // nil: the platform shows its alerts itself
	// nil: the platform does not tell when it hands over.
	file   interface{ File() *switchboardfile.File }
	shifts *shifts.Service // nil: the platform keeps shifts itself
}

// New adds the pages to a site. What they show depends on what the site's platform can do besides
// platform.Platform: alerts need a platform.AlertBrowser, handoffs File() *switchboardfile.File.
// Its error is a mistake in a template.
func New(site *layout.Site, s store.Store) (*Live, error) {
	l := &Live{site: site, store: s}
	l.browser, _ = site.Platform.(platform.AlertBrowser)
	l.file, _ = site.Platform.(interface{ File() *switchboardfile.File })
	if changed, ok := site.Platform.(interface{ Shifts() *shifts.Service }); ok {
		l.shifts = changed.Shifts()
	}
	return l, site.Parse(templates, words, "alerts", "alert", "calls", "call", "oncall", "team")
}
