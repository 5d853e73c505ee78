package process

import (
	"context"
	"net/http"
	"net/http/pprof"
	"strconv"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/httpkit"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/people"
	"github.com/livecallrouting/livecall/host-sdk/engine"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/transport"
)

// profileTime bounds a profile of a plugin: longer than the longest that a plugin makes.
const profileTime = 40 * time.Second

// ProfilingPrefix is the address that `go tool pprof` expects.
const ProfilingPrefix = "/debug/pprof/"

// profiler is a plugin that makes profiles of its process; a *launcher.Plugin is one.
type profiler interface {
	Profile(ctx context.Context, what transport.Profile) ([]byte, error)
}

// Profiles serves Go's profiles of this process and those of its plugins to those of the known who
// may Manage. The command line, which pprof would serve as well, is left out, as it may hold
// secrets. The log-in is looked at by the caller, the right here.
func Profiles(of engine.Plugins) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc(ProfilingPrefix+"plugins/{plugin}/{profile}", func(w http.ResponseWriter, r *http.Request) { pluginProfile(w, r, of) })
	mux.HandleFunc(ProfilingPrefix+"profile", pprof.Profile)
	mux.HandleFunc(ProfilingPrefix+"trace", pprof.Trace)
	mux.HandleFunc(ProfilingPrefix+"symbol", pprof.Symbol)
	for _, name := range []string{"allocs", "block", "goroutine", "heap", "mutex", "threadcreate"} {
		mux.Handle(ProfilingPrefix+name, pprof.Handler(name))
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if id := people.From(r.Context()); !id.May(people.Manage, "") {
			httpkit.WriteError(w, http.StatusForbidden, "unauthorized", id.Refuse(people.Manage).Message)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// pluginProfile answers with a profile of a plugin's process. A plugin of an older release makes
// none: 404.
func pluginProfile(w http.ResponseWriter, r *http.Request, of engine.Plugins) {
	plugin, installed := of.Plugin(r.PathValue("plugin"))
	source, makes := plugin.(profiler)
	if !installed || !makes {
		httpkit.WriteError(w, http.StatusNotFound, "not_found", "there is no such plugin, or it makes no profiles")
		return
	}
	seconds, _ := strconv.Atoi(r.FormValue("seconds"))
	debug, _ := strconv.Atoi(r.FormValue("debug"))
	// Longer than the server's own deadline for answers.
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(profileTime))
	ctx, cancel := context.WithTimeout(r.Context(), profileTime)
	defer cancel()
	data, err := source.Profile(ctx, transport.Profile{Name: r.PathValue("profile"), Seconds: seconds, Debug: debug})
	if err != nil {
		status := http.StatusBadGateway
		if integration.KindOf(err) == integration.KindInvalid {
			status = http.StatusNotFound
		}
		httpkit.WriteError(w, status, string(integration.KindOf(err)), err.Error())
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	if debug > 0 {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	}
	w.Header().Set("X-Content-Type-Options", "nosniff")
	_, _ = w.Write(data) //nolint:gosec // never HTML, by its type; the peer is gone if this fails
}
