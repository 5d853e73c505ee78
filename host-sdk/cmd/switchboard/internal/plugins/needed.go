package plugins

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/wording"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// maxLive bounds the live sessions that are looked at, of all plugins together. It is far above
// what one installation has.
const maxLive = 100_000

// maxNamed is how many integrations or calls an error names.
const maxNamed = 3

// CanRead is nil if a version of a plugin can read what its predecessor has stored: the options of
// its integrations and the calls that go on. Options that are older than the version are read by it
// anyway.
func CanRead(ctx context.Context, kept store.Store, d integration.Description) error {
	used, live, err := usesOf(ctx, kept, d.ID)
	if err != nil {
		return err
	}
	used = slices.DeleteFunc(used, func(in store.Integration) bool { return in.OptionsFormat <= d.Formats.Options })
	if len(used) > 0 {
		return integration.Errorf(integration.KindConflict, "%s %s does not read the settings that a newer version has stored for %s: keep the newer version, or delete the integrations and create them again afterwards",
			d.ID, d.Version, integrationNames(used))
	}
	// The integration's own session is left out: its state is made anew.
	live = slices.DeleteFunc(live, func(s store.Session) bool {
		return s.Key == integration.IntegrationSessionKey || s.Format <= d.Formats.State
	})
	if len(live) > 0 {
		return integration.Errorf(integration.KindConflict, "%s %s does not read %s, which a newer version has begun (%s): try again when that is over",
			d.ID, d.Version, wording.Count(len(live), "call that goes on", "calls that go on"), callNames(live))
	}
	return nil
}

// Needed is nil if no integration and no call that goes on is of a plugin. Calls that are over do
// not need it.
func Needed(ctx context.Context, kept store.Store, id string) error {
	used, live, err := usesOf(ctx, kept, id)
	switch {
	case err != nil:
		return err
	case len(used) > 0:
		return integration.Errorf(integration.KindConflict, "plugin %s is needed by %s: delete what needs it first (Settings, Integrations)", id, integrationNames(used))
	case len(live) > 0:
		return integration.Errorf(integration.KindConflict, "plugin %s is needed by %s (%s): try again when that is over", id, wording.Count(len(live), "call that goes on", "calls that go on"), callNames(live))
	}
	return nil
}

// usesOf are the integrations of a plugin, and its live sessions, also of integrations that were
// deleted meanwhile. A deleted integration keeps its record as long as it has calls.
func usesOf(ctx context.Context, kept store.Store, id string) (used []store.Integration, live []store.Session, err error) {
	all, err := kept.ListIntegrations(ctx)
	if err != nil {
		return nil, nil, err
	}
	plugin := map[string]string{} // of each integration
	for _, in := range all {
		plugin[in.ID] = in.Plugin
		if in.Plugin == id {
			used = append(used, in)
		}
	}
	sessions, err := kept.ListSessions(ctx, store.SessionFilter{LiveOnly: true, Limit: maxLive})
	if err != nil {
		return nil, nil, err
	}
	for _, s := range sessions {
		of, known := plugin[s.Integration]
		if !known {
			in, err := kept.KeptIntegration(ctx, s.Integration)
			if err != nil && integration.KindOf(err) != integration.KindNotFound {
				return nil, nil, err
			}
			of = in.Plugin
			plugin[s.Integration] = of
		}
		if of == id {
			live = append(live, s)
		}
	}
	return used, live, nil
}

// integrationNames names some integrations. At most maxNamed of them.
func integrationNames(list []store.Integration) string {
	var names []string
	for _, in := range list[:min(len(list), maxNamed)] {
		names = append(names, fmt.Sprintf("the integration %q (%s)", in.Name, in.ID))
	}
	return namesAnd(names, len(list))
}

// callNames names some calls. At most maxNamed of them, by their keys.
func callNames(list []store.Session) string {
	var names []string
	for _, s := range list[:min(len(list), maxNamed)] {
		names = append(names, s.Key)
	}
	return namesAnd(names, len(list))
}

// namesAnd joins the first names of a list, and says how many more there are.
func namesAnd(names []string, all int) string {
	text := strings.Join(names, ", ")
	if more := all - len(names); more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}
