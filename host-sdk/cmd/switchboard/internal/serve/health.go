package serve

import (
	"context"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/httpkit"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded"
)

// partTime is how long one part may take to say that it is well.
const partTime = 2 * time.Second

// partState is one part at /readyz.
type partState struct {
	State   string `json:"state"` // ok, failed
	Kind    string `json:"kind,omitempty"`
	Message string `json:"message,omitempty"` // why it failed; of one that is ok: what is to be mended all the same
}

// readyState is the answer of /readyz.
type readyState struct {
	Status string               `json:"status"` // ready, not_ready, stopping
	Parts  map[string]partState `json:"parts"`  // store, platform, plugin
}

// alive says that the process answers; nothing else is asked.
func alive(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = io.WriteString(w, "ok\n")
}

// readiness asks every part, at the same time.
type readiness struct{ site Site }

// ServeHTTP implements http.Handler: 200 when all parts are well, else 503.
func (p *readiness) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	state := readyState{Status: "ready", Parts: p.ask(r.Context())}
	status := http.StatusOK
	for _, part := range state.Parts {
		if part.State != "ok" {
			state.Status, status = "not_ready", http.StatusServiceUnavailable
		}
	}
	if p.site.Closing.Err() != nil {
		state.Status, status = "stopping", http.StatusServiceUnavailable
	}
	httpkit.WriteJSON(w, status, state)
}

// ask probes all parts at the same time: one that hangs must not hide the state of the others.
func (p *readiness) ask(ctx context.Context) map[string]partState {
	ctx, cancel := context.WithTimeout(ctx, partTime)
	defer cancel()
	probes := map[string]func(context.Context) error{
		"store": p.site.Store.Ping, "platform": p.site.Platform.Health, "plugin": p.plugins,
	}
	var mu sync.Mutex
	var wg sync.WaitGroup
	parts := map[string]partState{}
	for name, probe := range probes {
		wg.Go(func() {
			part := partState{State: "ok"}
			if name == "platform" {
				part.Message = p.file()
			}
			if err := probe(ctx); err != nil {
				part = partState{State: "failed", Kind: string(integration.KindOf(err)), Message: err.Error()}
				if ctx.Err() != nil {
					part.Kind, part.Message = string(integration.KindDeadline), "no answer within "+partTime.String()
				}
			}
			mu.Lock()
			defer mu.Unlock()
			parts[name] = part
		})
	}
	wg.Wait()
	return parts
}

// file says in words that the switchboard file is not in force; "" if it is. The host is ready
// nevertheless.
func (p *readiness) file() string {
	platform, ok := p.site.Platform.(interface{ Status() embedded.Status })
	if !ok {
		return ""
	}
	st := platform.Status()
	if len(st.Refused) == 0 {
		return ""
	}
	return notInForce(st.Path, st.Refused)
}

// plugins is nil when every installed plugin answers.
func (p *readiness) plugins(ctx context.Context) error {
	ids := slices.Sorted(slices.Values(p.site.Plugins.PluginIDs()))
	if len(ids) == 0 {
		return integration.Errorf(integration.KindUnavailable, "no plugin is installed")
	}
	for _, id := range ids {
		plugin, ok := p.site.Plugins.Plugin(id)
		if !ok {
			return integration.Errorf(integration.KindUnavailable, "plugin %s is not running", id)
		}
		if _, err := plugin.Describe(ctx, integration.DescribeRequest{}); err != nil {
			return integration.Errorf(integration.KindOf(err), "plugin %s: %w", id, err)
		}
	}
	return nil
}
