package attacks

import (
	"fmt"
	"maps"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/integration-tests/twiliosim"
)

// handCall is a call whose requests a test makes itself, signed as Twilio signs them: so it can say
// what a telephone network would not carry.
type handCall struct {
	h       *hotline
	sid     string
	from    string
	fields  []string          // more fields of every request
	address map[string]string // what the host has issued for the call, by the part behind its SID
	forged  bool              // the signatures are wrong
}

var calls atomic.Int64

// arrive makes a call arrive at the target; it hears the menu. Each comes from a number of its own
// unless fields say otherwise.
func (h *hotline) arrive(t *testing.T, fields ...string) *handCall {
	t.Helper()
	return h.arriveAt(t, h.Endpoint, fields...)
}

func (h *hotline) arriveAt(t *testing.T, endpoint string, fields ...string) *handCall {
	t.Helper()
	n := calls.Add(1)
	c := &handCall{h: h, sid: fmt.Sprintf("CA%032x", 0xa77ac0000+n), from: fmt.Sprintf("+1202555%04d", 200+n%700), fields: fields, address: map[string]string{}}
	answer := c.ask(t, h.path(endpoint))
	// Where the plugin is too slow on a busy machine, the host has Twilio ask again.
	for end := time.Now().Add(patience); len(c.address) == 0 && strings.Contains(answer, "<Redirect") && time.Now().Before(end); {
		answer = c.ask(t, h.path(endpoint))
	}
	return c
}

// ask makes a request of the call and takes note of the addresses in the answer.
func (c *handCall) ask(t *testing.T, target string, fields ...string) string {
	t.Helper()
	form := voice(c.sid, append(append([]string{"From", c.from}, c.fields...), fields...)...)
	r := request{target: target, form: form, signed: true}
	if c.forged {
		r.signed, r.header = false, map[string]string{"X-Twilio-Signature": twiliosim.Sign("anothertoken00000000000000000001", c.h.URL+target, form)}
	}
	got := c.h.send(t, r)
	if got.status != 200 && got.status != 204 {
		t.Fatalf("%s: %d %s %v", target, got.status, got.body, got.err)
	}
	maps.Copy(c.address, issued(got.body))
	return got.body
}

// follow makes the request that the host has asked for, such as menu.
func (c *handCall) follow(t *testing.T, what string, fields ...string) string {
	t.Helper()
	address := c.address[what]
	if address == "" {
		t.Fatalf("the host has issued no address %q, only %v", what, c.address)
	}
	return c.ask(t, c.h.path(address), fields...)
}

// over ends the call.
func (c *handCall) over(t *testing.T) {
	t.Helper()
	c.ask(t, c.h.path(c.h.Endpoint)+"/status", "CallStatus", "completed")
}

// onHold chooses DevOps.
func (c *handCall) onHold(t *testing.T) {
	t.Helper()
	c.follow(t, "menu", "Digits", "2")
	c.follow(t, "hold", "QueueSid", "QU00000000000000000000000000000001")
}

// issuedEverywhere takes a call everywhere and returns its addresses: what an attacker who has
// called before would have if addresses leaked.
func (h *hotline) issuedEverywhere(t *testing.T) map[string]string {
	t.Helper()
	c := h.arrive(t)
	c.onHold(t)
	eventually(t, "a responder's telephone is called", func() bool {
		for _, e := range h.Sim.Events(0) {
			if e.Kind != "rest" || !strings.Contains(e.Params["Url"], c.sid) {
				continue
			}
			for _, name := range []string{"Url", "StatusCallback"} {
				_, rest, _ := strings.Cut(e.Params[name], c.sid+"/")
				sub, _, _ := strings.Cut(rest, "?")
				c.address[sub] = e.Params[name]
			}
			return true
		}
		return false
	})
	c.follow(t, "hold/key", "Digits", "*", "QueueSid", "QU00000000000000000000000000000001")
	c.follow(t, "left", "QueueResult", "leave", "QueueSid", "QU00000000000000000000000000000001")
	c.over(t)
	return c.address
}

// token is the secret part of an issued address.
func token(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Query().Get("t")
}

// legsOf counts the calls that Twilio was asked to make for a call.
func (h *hotline) legsOf(sid string) int {
	n := 0
	for _, e := range h.Sim.Events(0) {
		if isDial(e) && strings.Contains(e.Params["Url"], sid) {
			n++
		}
	}
	return n
}

// isDial reports whether Twilio was asked to make a call.
func isDial(e twiliosim.Event) bool {
	return e.Kind == "rest" && e.Method == "POST" && strings.HasSuffix(e.URL, "/Calls.json")
}

// lookUps counts how often Twilio was asked about a call.
func (h *hotline) lookUps(sid string) int {
	n := 0
	for _, e := range h.Sim.Events(0) {
		if e.Kind == "rest" && e.Method == "GET" && strings.Contains(e.URL, sid) {
			n++
		}
	}
	return n
}
