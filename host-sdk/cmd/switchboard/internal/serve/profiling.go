package serve

import (
	"net/http"
	"net/http/pprof"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/httpkit"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/people"
)

// profilingPrefix is the address that `go tool pprof` expects.
const profilingPrefix = "/debug/pprof/"

// profiles serves Go's profiles of this process to those of the known who may Manage. The command line, which pprof
// would serve as well, is left out, as it may hold secrets.
func profiles() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc(profilingPrefix+"profile", pprof.Profile)
	mux.HandleFunc(profilingPrefix+"trace", pprof.Trace)
	mux.HandleFunc(profilingPrefix+"symbol", pprof.Symbol)
	for _, name := range []string{"allocs", "block", "goroutine", "heap", "mutex", "threadcreate"} {
		mux.Handle(profilingPrefix+name, pprof.Handler(name))
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if id := people.From(r.Context()); !id.May(people.Manage, "") {
			httpkit.WriteError(w, http.StatusForbidden, "unauthorized", id.Refuse(people.Manage).Message)
			return
		}
		mux.ServeHTTP(w, r)
	})
}
