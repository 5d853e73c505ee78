package storetest

import (
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

var hostChecks = []check{
	{"Hosts/are listed until removed", hostRows},
	{"Hosts/what a dead one had claimed is free", hostDeath},
}

// hostsOf is the store as a store.Hosts. A store for one host alone need not be one.
func hostsOf(r *run) store.Hosts {
	h, ok := r.Store.(store.Hosts)
	if !ok {
		r.Skip("the store has no store.Hosts")
	}
	return h
}

// A host that should hold a lock and holds none is dead: what it had claimed is due, once, and
// nothing of others. One that says that it holds none keeps its leases.
func hostDeath(r *run) {
	hosts := hostsOf(r)
	r.add(command("", "a"), task("b", 1), command("l", "c"), timer("d", 1, base))
	r.ok(hosts.SaveHost(r.ctx, store.Host{ID: "1", Lock: true, SeenAt: base}))
	r.ok(hosts.SaveHost(r.ctx, store.Host{ID: "2", SeenAt: base}))
	items := r.claims("by the first", "1", base, `"a"`, `"b-1"`, `"c"`, `"d-1"`)
	r.ok(r.FinishItem(r.ctx, items[`"b-1"`], []byte("1")))
	r.ok(r.RetryItem(r.ctx, items[`"c"`], base))
	r.claims("what it gave back", "2", base, `"c"`)
	free := func(id string, wantItems int64, want bool) {
		r.Helper()
		n, dead, err := hosts.FreeHost(r.ctx, id)
		r.ok(err)
		if n != wantItems || dead != want {
			r.Errorf("host %s: %d items, dead %v; want %d, %v", id, n, dead, wantItems, want)
		}
	}
	free("2", 0, false)
	free("unknown", 0, false)
	r.claims("while it lives", "2", after(1))
	free("1", 3, true)
	free("1", 0, false)
	again := r.claims("when it is dead", "2", after(1), `"a"`, `"b-1"`, `"d-1"`)
	if it := again[`"a"`]; it.Attempt != 2 {
		r.Errorf("attempt %d of what the dead host had begun, want 2: it may have been done", it.Attempt)
	}
	r.kind("the result of the dead host", r.FinishItem(r.ctx, items[`"a"`], []byte("1")), integration.KindConflict)
	r.ok(r.RetryItem(r.ctx, items[`"a"`], base))
	r.ok(r.DeleteItem(r.ctx, items[`"d-1"`]))
	r.claims("and nobody has it twice", "3", after(2))
	list, err := hosts.ListHosts(r.ctx)
	r.ok(err)
	r.same("hosts", list, []store.Host{{ID: "2", SeenAt: base}})
}

// A host's row is replaced by a newer one of it, outlives a restart of the store, and is gone once
// it is removed. A store for one host alone need not have it.
func hostRows(r *run) {
	hosts := func() store.Hosts { return hostsOf(r) } // another one after a restart
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
