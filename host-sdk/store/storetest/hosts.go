package storetest

import (
	"github.com/livecallrouting/livecall/host-sdk/store"
)

var hostChecks = []check{
	{"Hosts/are listed until removed", hostRows},
}

// A host's row is replaced by a newer one of it, outlives a restart of the store, and is gone once it is
// removed. A store for one host alone need not have it.
func hostRows(r *run) {
	hosts := func() store.Hosts {
		h, ok := r.Store.(store.Hosts)
		if !ok {
			r.Skip("the store has no store.Hosts")
		}
		return h
	}
	one := store.Host{ID: "2", Machine: "m1", Address: "m1:8080", Version: "1.2.3", Plugins: map[string]string{"livecall": "1.0.0"}, FileHash: "abc", Started: base, SeenAt: base}
	other := store.Host{ID: "1", Machine: "m2", SeenAt: after(5)}
	r.ok(hosts().SaveHost(r.ctx, one))
	r.ok(hosts().SaveHost(r.ctx, other))
	one.SeenAt, one.FileHash = after(10), "def"
	r.ok(hosts().SaveHost(r.ctx, one))
	r.again()
	list, err := hosts().ListHosts(r.ctx)
	r.ok(err)
	r.same("hosts", list, []store.Host{one, other})
	r.ok(hosts().RemoveHost(r.ctx, "2"))
	r.ok(hosts().RemoveHost(r.ctx, "unknown"))
	list, err = hosts().ListHosts(r.ctx)
	r.ok(err)
	r.same("hosts after one was removed", list, []store.Host{other})
}
