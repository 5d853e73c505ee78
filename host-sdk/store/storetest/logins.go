package storetest

import (
	"strings"

	"github.com/livecallrouting/livecall/host-sdk/integration"
)

// loginChecks: a login counts until it is ended or its time is over, and never again after that.
// Ending it twice is no error, as two tabs may log out.
var loginChecks = []check{
	{"Logins/end", func(r *run) {
		r.ok(r.BeginLogin(r.ctx, "one", after(10)))
		r.ok(r.BeginLogin(r.ctx, "two", after(20)))
		r.kind("an id that is known", r.BeginLogin(r.ctx, "one", after(30)), integration.KindConflict)
		r.kind("no id", r.BeginLogin(r.ctx, "", after(30)), integration.KindInvalid)
		r.kind("a long id", r.BeginLogin(r.ctx, strings.Repeat("x", 201), after(30)), integration.KindInvalid)
		r.again()
		for id, want := range map[string]int{"one": 10, "two": 20} {
			if ends, err := r.Login(r.ctx, id); err != nil || !ends.Equal(after(want)) {
				r.Errorf("login %s ends at %v (%v), want %v", id, ends, err, after(want))
			}
		}
		r.ok(r.EndLogin(r.ctx, "two"))
		r.ok(r.EndLogin(r.ctx, "two"))
		_, err := r.Login(r.ctx, "two")
		r.kind("a login that was ended", err, integration.KindNotFound)
		if _, err := r.Login(r.ctx, "one"); err != nil {
			r.Errorf("the other: %v", err)
		}
	}},
	{"Logins/expire", func(r *run) {
		r.ok(r.BeginLogin(r.ctx, "old", after(10)))
		r.ok(r.BeginLogin(r.ctx, "young", after(11)))
		_, err := r.DeleteExpired(r.ctx, after(10))
		r.ok(err)
		_, err = r.Login(r.ctx, "old")
		r.kind("a login whose time is over", err, integration.KindNotFound)
		if _, err := r.Login(r.ctx, "young"); err != nil {
			r.Errorf("the other: %v", err)
		}
	}},
}
