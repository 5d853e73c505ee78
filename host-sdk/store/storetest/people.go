package storetest

import (
	"fmt"
	"strings"
	"sync"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// peopleChecks are those of store.People. A store without it skips them.
var peopleChecks = []check{
	{"People/logins end", loginsEnd},
	{"People/logins expire", loginsExpire},
	{"People/logins are listed", loginsListed},
	{"People/tokens", tokens},
	{"People/a one-time link works once", oneTimes},
	{"People/of many who use a one-time link one may", oneTimeTogether},
	{"People/audit", audit},
}

// people is the part of the store under test.
func (r *run) people() store.People {
	p, ok := r.Store.(store.People)
	if !ok {
		r.Skip("the store has no store.People")
	}
	return p
}

// A login counts until it is ended, and never again after that: what ended it first is known.
// Of those who end it, the first alone has done so.
func loginsEnd(r *run) {
	one := store.Login{ID: "one", How: store.LoginByMail, Email: "alice@example.com", Role: "viewer", Since: base, LastUsed: base, Ends: after(10), Remote: "192.0.2.1", Agent: "Firefox"}
	page := store.Login{ID: "two", How: store.LoginByPage, User: "bob", Alert: "01J", Since: after(1), Ends: after(20)}
	r.ok(r.people().BeginLogin(r.ctx, one))
	r.ok(r.people().BeginLogin(r.ctx, page))
	r.kind("an id that is known", r.people().BeginLogin(r.ctx, one), integration.KindConflict)
	r.kind("no id", r.people().BeginLogin(r.ctx, store.Login{}), integration.KindInvalid)
	r.kind("a long id", r.people().BeginLogin(r.ctx, store.Login{ID: strings.Repeat("x", 201)}), integration.KindInvalid)
	r.ok(r.people().UseLogin(r.ctx, "one", after(5)))
	r.ok(r.people().UseLogin(r.ctx, "one", after(3))) // an older use changes nothing
	r.ok(r.people().UseLogin(r.ctx, "unknown", after(5)))
	one.LastUsed = after(5)
	r.again()
	for _, want := range []store.Login{one, page} {
		got, err := r.people().Login(r.ctx, want.ID)
		r.ok(err)
		r.same("login "+want.ID, got, want)
	}
	r.ok(r.people().EndLogin(r.ctx, "two", store.AccountGone, after(7)))
	r.kind("one that was ended", r.people().EndLogin(r.ctx, "two", store.LoggedOut, after(8)), integration.KindNotFound)
	r.kind("one whose time is over", r.people().EndLogin(r.ctx, "one", store.LoggedOut, after(10)), integration.KindNotFound)
	r.kind("one that there is not", r.people().EndLogin(r.ctx, "unknown", store.LoggedOut, after(7)), integration.KindNotFound)
	page.Ended, page.Ends = store.AccountGone, after(7)
	for _, want := range []store.Login{one, page} {
		got, err := r.people().Login(r.ctx, want.ID)
		r.ok(err)
		r.same("the ended login "+want.ID, got, want)
	}
	list, err := r.people().ListLogins(r.ctx, "", after(7))
	r.ok(err)
	r.same("logins that go on", list, []store.Login{one})
	_, err = r.people().Login(r.ctx, "unknown")
	r.kind("a login that there never was", err, integration.KindNotFound)
}

// What has ended is removed with the sessions, a day later, so that whoever uses it late is told
// why it does not work.
func loginsExpire(r *run) {
	r.ok(r.people().BeginLogin(r.ctx, store.Login{ID: "old", Ends: after(10)}))
	r.ok(r.people().BeginLogin(r.ctx, store.Login{ID: "young", Ends: after(11)}))
	r.ok(r.people().AddOneTime(r.ctx, store.OneTime{ID: "link", Ends: after(10)}))
	_, err := r.DeleteExpired(r.ctx, after(9+24*3600))
	r.ok(err)
	_, err = r.people().Login(r.ctx, "old")
	r.ok(err)
	_, err = r.people().OneTime(r.ctx, "link")
	r.ok(err)
	_, err = r.DeleteExpired(r.ctx, after(10+24*3600))
	r.ok(err)
	_, err = r.people().Login(r.ctx, "old")
	r.kind("a login a day later", err, integration.KindNotFound)
	_, err = r.people().Login(r.ctx, "young")
	r.ok(err)
	_, err = r.people().OneTime(r.ctx, "link")
	r.kind("a link a day later", err, integration.KindNotFound)
}

func loginsListed(r *run) {
	for i, email := range []string{"alice@example.com", "bob@example.com", "alice@example.com", ""} {
		r.ok(r.people().BeginLogin(r.ctx, store.Login{ID: fmt.Sprint(i), Email: email, Since: after(i), Ends: after(10 * (i + 1))}))
	}
	for _, c := range []struct {
		email string
		now   int
		want  string
	}{{"", 0, "3 2 1 0"}, {"", 10, "3 2 1"}, {"alice@example.com", 0, "2 0"}, {"alice@example.com", 30, ""}, {"carol@example.com", 0, ""}} {
		list, err := r.people().ListLogins(r.ctx, c.email, after(c.now))
		r.ok(err)
		var ids []string
		for _, l := range list {
			ids = append(ids, l.ID)
		}
		if got := strings.Join(ids, " "); got != c.want {
			r.Errorf("logins of %q after %d s: %q, want %q", c.email, c.now, got, c.want)
		}
	}
}

// A token is found by its hash, also when it was revoked; then its name is free again.
func tokens(r *run) {
	ci := store.Token{ID: "1", Hash: "h1", Name: "ci", Role: "viewer", MadeBy: "alice@example.com", MadeAt: base}
	r.ok(r.people().AddToken(r.ctx, ci))
	again := ci
	again.ID, again.Hash = "2", "h2"
	r.kind("a name that is taken", r.people().AddToken(r.ctx, again), integration.KindConflict)
	r.kind("no name", r.people().AddToken(r.ctx, store.Token{ID: "3", Hash: "h3"}), integration.KindInvalid)
	r.kind("a long name", r.people().AddToken(r.ctx, store.Token{ID: "3", Hash: "h3", Name: strings.Repeat("x", 101)}), integration.KindInvalid)
	r.kind("no hash", r.people().AddToken(r.ctx, store.Token{ID: "3", Name: "x"}), integration.KindInvalid)
	r.ok(r.people().UseToken(r.ctx, "1", after(5)))
	r.ok(r.people().UseToken(r.ctx, "1", after(3)))
	r.ok(r.people().RevokeToken(r.ctx, "1", after(7)))
	r.kind("a token that is revoked", r.people().RevokeToken(r.ctx, "1", after(8)), integration.KindNotFound)
	r.kind("an unknown token", r.people().RevokeToken(r.ctx, "9", after(8)), integration.KindNotFound)
	again.MadeAt = after(8)
	r.ok(r.people().AddToken(r.ctx, again))
	ci.LastUsed, ci.Revoked = after(5), after(7)
	r.again()
	list, err := r.people().ListTokens(r.ctx)
	r.ok(err)
	r.same("tokens", list, []store.Token{ci, again})
	for hash, want := range map[string]store.Token{"h1": ci, "h2": again} {
		got, err := r.people().TokenByHash(r.ctx, hash)
		r.ok(err)
		r.same("token "+hash, got, want)
	}
	_, err = r.people().TokenByHash(r.ctx, "h9")
	r.kind("an unknown hash", err, integration.KindNotFound)
}

func oneTimes(r *run) {
	one := store.OneTime{ID: "one", About: "alice@example.com", Ends: after(10)}
	r.ok(r.people().AddOneTime(r.ctx, one))
	r.ok(r.people().AddOneTime(r.ctx, store.OneTime{ID: "two", About: "alice@example.com", Ends: after(20)}))
	r.kind("an id that is known", r.people().AddOneTime(r.ctx, one), integration.KindConflict)
	r.kind("no id", r.people().AddOneTime(r.ctx, store.OneTime{}), integration.KindInvalid)
	r.again()
	open := func(now, want int) {
		r.Helper()
		if n, err := r.people().OpenOneTimes(r.ctx, "alice@example.com", after(now)); err != nil || n != want {
			r.Errorf("%d links are open after %d s (%v), want %d", n, now, err, want)
		}
	}
	open(0, 2)
	open(10, 1)
	got, ok, err := r.people().UseOneTime(r.ctx, "one", after(5))
	r.ok(err)
	one.Used = after(5)
	r.same("what was used", got, one)
	if !ok {
		r.Error("a link does not work")
	}
	if got, ok, err = r.people().UseOneTime(r.ctx, "one", after(6)); ok || err != nil {
		r.Errorf("a link works twice (%v)", err)
	}
	r.same("what was used before", got, one)
	if got, ok, err = r.people().UseOneTime(r.ctx, "two", after(20)); ok || err != nil || !got.Used.IsZero() {
		r.Errorf("a link works after its time: %+v (%v)", got, err)
	}
	_, _, err = r.people().UseOneTime(r.ctx, "three", base)
	r.kind("an unknown link", err, integration.KindNotFound)
	open(6, 1)
}

func oneTimeTogether(r *run) {
	r.ok(r.people().AddOneTime(r.ctx, store.OneTime{ID: "one", Ends: after(10)}))
	const many = 8
	may := make(chan bool, many)
	var all sync.WaitGroup
	people := r.people()
	for range many {
		all.Go(func() {
			_, ok, err := people.UseOneTime(r.ctx, "one", base)
			if err != nil {
				r.Error(err)
			}
			may <- ok
		})
	}
	all.Wait()
	used := 0
	for range many {
		if <-may {
			used++
		}
	}
	if used != 1 {
		r.Errorf("%d of %d could use the link, want 1", used, many)
	}
}

// Lines are listed by pages, the newest first, and deleted by age.
func audit(r *run) {
	for i, l := range []store.AuditLine{
		{Who: "alice@example.com", Action: "login"}, {Who: "bob@example.com", Action: "login", Remote: "192.0.2.1"},
		{Who: "alice@example.com", Action: "integration.change", About: "int_1", Detail: "Hotline\nof Berlin"}, {Who: "alice@example.com", Action: "login", Detail: strings.Repeat("x", 600)},
	} {
		l.At = after(i)
		r.ok(r.people().AddAudit(r.ctx, l))
	}
	r.again()
	pages := func(f store.AuditFilter) (seen string) {
		r.Helper()
		for {
			lines, next, err := r.people().ListAudit(r.ctx, f)
			r.ok(err)
			for _, l := range lines {
				seen += fmt.Sprint(int(l.At.Sub(base).Seconds()))
			}
			if next == "" {
				return seen
			}
			f.After, seen = next, seen+" "
		}
	}
	for want, f := range map[string]store.AuditFilter{
		"321 0": {Limit: 3}, "32 0": {Who: "alice@example.com", Limit: 2}, "3 1 0": {Action: "login", Limit: 1}, "2": {About: "int_1"}, "3 0": {Who: "alice@example.com", Action: "login", Limit: 1}, "": {Who: "carol"},
	} {
		if got := pages(f); got != want {
			r.Errorf("%+v lists %q, want %q", f, got, want)
		}
	}
	lines, _, err := r.people().ListAudit(r.ctx, store.AuditFilter{})
	r.ok(err)
	if len(lines) != 4 || lines[1].Detail != "Hotline of Berlin" || lines[2].Remote != "192.0.2.1" || len([]rune(lines[0].Detail)) > 500 || !lines[1].At.Equal(after(2)) {
		r.Errorf("the lines are %+v", lines)
	}
	_, _, err = r.people().ListAudit(r.ctx, store.AuditFilter{After: "?"})
	r.kind("a cursor of others", err, integration.KindInvalid)
	if n, err := r.people().ExpireAudit(r.ctx, after(2)); err != nil || n != 2 {
		r.Errorf("%d lines were deleted (%v), want 2", n, err)
	}
	if got := pages(store.AuditFilter{}); got != "32" {
		r.Errorf("what is left is %q", got)
	}
}
