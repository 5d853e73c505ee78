package platformcheck

import (
	"bytes"
	"context"
	"encoding/json"
	"net"
	"net/http"
	"net/url"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/platformcheck/result"
	"github.com/livecallrouting/livecall/host-sdk/platform/remote/wire"
)

// beyond tries what a client on a bad network does, and what a suite without HTTP cannot. Each
// check has an alert of its own, so that none disturbs another.
func (r *run) beyond(ctx context.Context) error {
	if r.unalerted("beyond the suite") {
		return nil
	}
	for _, x := range []struct {
		name, about string
		do          func(context.Context, *call)
	}{
		{"the same command eight times at once", "one of them runs; all answer 200 with the alert. Lock the alert (select … for update), then compare the number.", r.atOnce},
		{"a command whose sender went away", "a request that was cut off half-way does nothing; one that was sent whole may have run; either is repeated with its number and answered 200", r.cutOff},
		{"numbers with a gap", "a greater number runs, however much greater: refused commands leave gaps", r.gap},
		{"a refused command, then the next", "4xx: nothing happened and the number is not stored; the next number runs", r.refused},
		{"tenants are separate", "an alert belongs to its tenant and integration; the same key in another tenant is not found", r.tenants},
		{"keys with blanks, umlauts and signs", "path segments are percent-decoded as UTF-8 after the path was split at /", r.keys},
		{"a body of 1 MiB", "bodies of up to 1 MiB are taken: raise the limit of the framework or proxy", r.large},
		{"reading right after a command", "an answered command is in everything that is read later, on every server behind a load balancer: no replica that lags, no cache", r.readBack},
		{"what is not claimed", "a command that belongs to a capability which is not claimed is 501 unsupported; without annotations, log, add_field and attach answer 200 and store the number", r.unclaimed},
	} {
		if c := r.check(x.name); c != nil {
			c.About = x.about
			x.do(ctx, r.call(c))
		}
	}
	if c := r.check("the clock is right"); c != nil {
		c.About = "the time of an acknowledgement is compared with the switchboard's: run NTP, and write times in UTC"
		r.clock(ctx, r.call(c))
	}
	return nil
}

// atOnce sends one command several times at the same time: one may run, all must be answered alike.
func (r *run) atOnce(ctx context.Context, a *call) {
	if !a.begin(ctx) {
		return
	}
	a.last++
	n := 8
	// A platform that says how much it takes is not asked for more, but for two at least.
	if limit := r.protocol.Limits.Concurrent; limit > 0 {
		n = min(n, max(limit, 2))
	}
	for _, x := range r.together(ctx, n, a.request(a.last, a.mine())) {
		if s, ok := a.snapshot(x); ok && s.LastCommand < a.last {
			a.fault(x, "Command %d was answered with last_command %d.", a.last, s.LastCommand)
		}
	}
	s, ok := a.see(ctx)
	if ok && a.caps.AcknowledgeAs && len(s.Acknowledgements) != 1 {
		a.fault(nil, "One acknowledge with the number %d, sent %d times at once, made %d acknowledgements.", a.last, n, len(s.Acknowledgements))
	}
	if ok && s.LastCommand != a.last {
		a.fault(nil, "Afterwards last_command is %d, want %d.", s.LastCommand, a.last)
	}
}

// cutOff closes the connection in the middle of a request, and after the whole of one. Then the
// command is repeated: whatever has happened before, the end must be the same.
func (r *run) cutOff(ctx context.Context, a *call) {
	if !a.begin(ctx) {
		return
	}
	before, _ := a.see(ctx)
	request := a.request(a.last+1, a.mine())
	body, _ := json.Marshal(request.body)
	if err := r.shout(ctx, request, body, len(body)/2); err != nil {
		a.check.Leave(result.NotTested, "There is no connection of our own to the server: %v.", err)
		return
	}
	if after, ok := a.see(ctx); ok && !reflect.DeepEqual(before, after) {
		a.fault(nil, "A request whose body was cut off half-way changed the alert.")
	}
	if err := r.shout(ctx, request, body, len(body)); err != nil {
		a.check.Leave(result.NotTested, "There is no connection of our own to the server: %v.", err)
		return
	}
	for range 2 {
		x := r.send(ctx, request)
		if s, ok := a.snapshot(x); ok && (s.LastCommand != a.last+1 || a.caps.AcknowledgeAs && len(s.Acknowledgements) != 1) {
			a.fault(x, "A command whose sender went away, repeated, is answered with last_command %d and %d acknowledgements; want %d and 1.", s.LastCommand, len(s.Acknowledgements), a.last+1)
		}
	}
}

// shout sends a request with the first bytes of its body, and closes the connection without waiting
// for an answer. It writes HTTP by hand, as a client library would send a request whole.
func (r *run) shout(ctx context.Context, a ask, body []byte, n int) error {
	req, err := http.NewRequestWithContext(ctx, a.method, r.base+a.path+"?"+a.query.Encode(), nil)
	if err != nil {
		return err
	}
	conn, err := r.dial(ctx, req.URL)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	var head bytes.Buffer
	head.WriteString(a.method + " " + req.URL.RequestURI() + " HTTP/1.1\r\nHost: " + req.URL.Host + "\r\nAuthorization: Bearer " + r.cfg.Token +
		"\r\nContent-Type: application/json\r\nAccept: application/json\r\nContent-Length: " + strconv.Itoa(len(body)) + "\r\n\r\n")
	head.Write(body[:n])
	_, err = conn.Write(head.Bytes())
	return err
}

// dial connects to the server of an address. It goes around the recorder, as nothing comes back.
func (r *run) dial(ctx context.Context, u *url.URL) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	address := net.JoinHostPort(u.Hostname(), port)
	if u.Scheme == "https" {
		return r.tlsDialer().DialContext(ctx, "tcp", address)
	}
	return new(net.Dialer).DialContext(ctx, "tcp", address)
}

// gap sends a number far beyond the last, and then one below it that never came.
func (r *run) gap(ctx context.Context, a *call) {
	if !a.begin(ctx) {
		return
	}
	a.last += 40
	x := a.put(ctx, a.last, a.mine())
	if s, ok := a.snapshot(x); ok && s.LastCommand != a.last {
		a.fault(x, "After command %d, which followed command 2, last_command is %d.", a.last, s.LastCommand)
	}
	x = a.put(ctx, a.last-1, resolve())
	if s, ok := a.snapshot(x); ok && (s.Status == "resolved" || s.LastCommand != a.last) {
		a.fault(x, "Command %d came after command %d and ran, or changed last_command to %d: a number that is not greater changes nothing, also one that never came.", a.last-1, a.last, s.LastCommand)
	}
}

// refused has a command refused, whose number must not count, and sends the next.
func (r *run) refused(ctx context.Context, a *call) {
	if !a.begin(ctx) {
		return
	}
	x := a.put(ctx, a.last+1, route("livecall-test-unknown"))
	if x.Status != http.StatusNotFound || x.Kind() != "not_found" {
		a.fault(x, "route to an unknown team was answered with %s: 404 with a problem document of the kind not_found is right.", x.Says())
		return
	}
	s, ok := a.see(ctx)
	if ok && (s.LastCommand != a.last || strings.Join(s.Teams, " ") != a.cfg.Team) {
		a.fault(x, "After a refused route last_command is %d and the teams are %v, want %d and %s.", s.LastCommand, s.Teams, a.last, a.cfg.Team)
	}
	x = a.put(ctx, a.last+2, resolve())
	if s, ok := a.snapshot(x); ok && s.Status != "resolved" {
		a.fault(x, "resolve after a refused command left the alert %s.", s.Status)
	}
}

// tenants asks for the alert in the name of another tenant, and makes one of the same key in
// another integration.
func (r *run) tenants(ctx context.Context, a *call) {
	if !a.begin(ctx) {
		return
	}
	q := a.in()
	q.Set("tenant", "livecall-test-other")
	x := r.send(ctx, ask{method: http.MethodGet, path: "/v1/alerts/" + a.key, query: q})
	if x.Err != nil || x.Status == http.StatusOK || x.Status >= 500 {
		a.fault(x, "The alert, asked for in the name of the tenant livecall-test-other, was answered with %s.", x.Says())
	}
	if q.Del("tenant"); r.cfg.Tenant != "" {
		q.Set("tenant", r.cfg.Tenant)
	}
	q.Set("integration", a.cfg.Integration+"-other")
	x = r.send(ctx, ask{method: http.MethodPut, path: "/v1/alerts/" + a.key + "/commands/1", query: q, body: create("")})
	mine, _ := a.see(ctx)
	if s, ok := a.snapshot(x); ok && s.ID == mine.ID {
		a.fault(x, "The same key in another integration has the same alert %s.", s.ID)
	}
}

// keys makes alerts whose keys need escaping in a path.
func (r *run) keys(ctx context.Context, a *call) {
	plain := a.key
	for _, key := range []string{plain + "@example.com", plain + " with blanks", plain + "-äöüß-漢", plain + "+a&b=c;d:e"} {
		a.key, a.last = key, 0
		if !a.begin(ctx) {
			continue
		}
		if s, ok := a.see(ctx); ok && s.Key != key {
			a.fault(nil, "The alert of the key %q says that its key is %q.", key, s.Key)
		}
	}
	for _, id := range []string{"nobody@example.com", "no body", "nöbody"} {
		if x := r.get(ctx, "/v1/users/"+url.PathEscape(id)); x.Kind() != "not_found" {
			a.fault(x, "The unknown user %q was answered with %s: 404 with the kind not_found is right.", id, x.Says())
		}
	}
}

// large sends as much as the protocol allows.
func (r *run) large(ctx context.Context, a *call) {
	cmd := create("")
	cmd.At = time.Now().UTC()
	small, _ := json.Marshal(cmd)
	// A hundred bytes are left for what JSON adds.
	x := a.put(ctx, 1, create(strings.Repeat("x", 1<<20-len(small)-100)))
	if s, ok := a.snapshot(x); ok && s.LastCommand != 1 {
		a.fault(x, "After a create with a description of 1 MiB last_command is %d, want 1.", s.LastCommand)
	}
	if len(x.Sent) > 1000 { // only its beginning is shown
		x.Sent = x.Sent[:1000]
	}
}

// readBack reads with a new connection each time, so that a load balancer may choose another
// server. A replica that lags shows only sometimes, hence twenty times.
func (r *run) readBack(ctx context.Context, a *call) {
	if !a.begin(ctx) {
		return
	}
	for range 20 {
		team := a.cfg.Team
		if a.last%2 == 0 {
			team = a.cfg.OtherTeam
		}
		if !a.do(ctx, route(team)) {
			return
		}
		x := r.send(ctx, ask{method: http.MethodGet, path: "/v1/alerts/" + a.key, query: a.in(), alone: true})
		if s, ok := a.snapshot(x); ok && s.LastCommand < a.last {
			a.fault(x, "Command %d was answered, and what was read after it has last_command %d.", a.last, s.LastCommand)
			return
		}
	}
}

// unclaimed sends the commands of capabilities that the platform does not claim.
func (r *run) unclaimed(ctx context.Context, a *call) {
	if !a.begin(ctx) {
		return
	}
	for _, x := range []struct {
		claimed bool
		cmd     wire.AlertCommand
	}{
		{r.caps.Escalate, wire.AlertCommand{Kind: "escalate", Layer: 1, Round: 1}},
		{r.caps.AcknowledgeAs, acknowledge(r.cfg.Users[0])},
		{r.caps.Reopen, wire.AlertCommand{Kind: "reopen", Ack: "livecall-test-unknown"}},
	} {
		if x.claimed {
			continue
		}
		if x2 := a.put(ctx, a.last+1, x.cmd); x2.Kind() != "unsupported" {
			a.fault(x2, "%s is not claimed, but answered with %s: claim it, or answer 501 with a problem document of the kind unsupported.", x.cmd.Kind, x2.Says())
		}
	}
	if r.caps.Annotations {
		return
	}
	// They are sent to every platform, as an alert's history costs nothing to ignore.
	for _, cmd := range []wire.AlertCommand{
		{Kind: "log", Text: "A line"}, {Kind: "add_field", Field: &wire.AlertField{Label: "Caller City", Value: "Arlington"}},
		{Kind: "attach", Label: "Voicemail", Media: &wire.MediaRef{Ref: "media:" + strings.Repeat("0", 64), ContentType: "audio/wav"}},
	} {
		a.last++
		x := a.put(ctx, a.last, cmd)
		if s, ok := a.snapshot(x); ok && s.LastCommand != a.last {
			a.fault(x, "annotations is not claimed: %s does nothing then, but its number counts. last_command is %d, want %d.", cmd.Kind, s.LastCommand, a.last)
		}
	}
}
