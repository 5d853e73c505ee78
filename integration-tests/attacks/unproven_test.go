package attacks

import (
	"cmp"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/integration-tests/demo"
	"github.com/livecallrouting/livecall/integration-tests/twiliosim"
)

// TestCallsThatTwilioDoesNotConfirm: somebody sends what a call would send. Time passes quickly
// here, so that a look-up's end is not waited for; each row has a hotline of its own.
func TestCallsThatTwilioDoesNotConfirm(t *testing.T) {
	t.Parallel()
	// What Twilio answers when it is asked about the call.
	lookUp := func(do string, status int) *twiliosim.Fault {
		return &twiliosim.Fault{On: "rest", Match: "GET .*/Calls/CA", Count: -1, Do: do, Status: status}
	}
	for _, row := range []struct {
		name    string
		noToken bool
		fault   *twiliosim.Fault // nil: Twilio knows no such call
		rename  bool             // the integration is renamed first
		served  bool             // as nothing else is known of the caller
		speed   int              // of the clock; 0: 20
	}{
		{name: "a wrong signature, and Twilio knows no such call"},
		{name: "a wrong signature while Twilio answers 503", fault: lookUp("status", 503)},
		{name: "a wrong signature while Twilio answers 429", fault: lookUp("status", 429)},
		{name: "a wrong signature while Twilio refuses the key", fault: lookUp("status", 401)},
		{name: "a wrong signature while Twilio cannot be reached", fault: lookUp("lose", 0)},
		{name: "a wrong signature after the integration was renamed", rename: true, fault: lookUp("status", 503)},
		{name: "no token while Twilio cannot be asked", noToken: true, fault: lookUp("status", 503), served: true},
		// At the speed of a real clock, as look-ups and the pauses between them are partly of the
		// machine's time: a busy one would seem a Twilio that cannot be asked.
		{name: "no token, and Twilio knows no such call", noToken: true, speed: 1},
		{name: "no token while Twilio answers 429", noToken: true, fault: lookUp("status", 429), speed: 1},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			h, err := start(func(c *demo.Config) {
				c.Clock = fmt.Sprintf("%d@%d", cmp.Or(row.speed, 20), time.Now().UnixMilli())
				c.Sim.PatienceFloor = 20 * time.Second
				if row.noToken {
					c.Options = map[string]any{"auth_token": nil}
				}
			})
			defer h.stop()
			if err != nil {
				t.Fatal(err)
			}
			if row.rename {
				h.rename(t)
			}
			if row.fault != nil {
				if _, err := h.Sim.AddFault(*row.fault); err != nil {
					t.Fatal(err)
				}
			}
			c := &handCall{h: h, sid: fmt.Sprintf("CA%032x", 0xbad), from: caller, address: map[string]string{}, forged: true}
			c.ask(t, h.path(h.Endpoint))
			if c.address["menu"] != "" {
				c.follow(t, "menu", "Digits", "2")
			}
			// The one who pretends to be a caller comes again as Twilio would while music plays.
			began := h.Clock.Now()
			for h.Clock.Now().Sub(began) < 40*time.Second {
				if c.address["hold"] != "" {
					c.follow(t, "hold", "QueueSid", "QU00000000000000000000000000000001")
				}
				if row.served && h.legsOf(c.sid) > 0 {
					break
				}
				_ = clock.Sleep(t.Context(), h.Clock, time.Second)
			}
			if row.served {
				eventually(t, "a caller of whom nothing is known is served", func() bool { return h.legsOf(c.sid) > 0 })
				return
			}
			if s := h.look(t); s.Alerts != 0 || s.Legs != 0 {
				t.Errorf("%d alerts, %d telephones were called", s.Alerts, s.Legs)
			}
			if mails := h.mails.Texts(); len(mails) > 0 {
				t.Errorf("somebody was paged: %.300s", mails[0])
			}
			if n := h.lookUps(c.sid); n > 60 {
				t.Errorf("Twilio was asked %d times", n)
			}
		})
	}
}

// rename saves the integration under another name, and nothing else.
func (h *hotline) rename(t *testing.T) {
	t.Helper()
	var in map[string]any
	h.get(t, "/api/v1/integrations/"+h.ID, &in)
	body := map[string]any{"name": "Renamed"}
	for _, k := range []string{"plugin", "enabled", "destinations", "revision"} {
		body[k] = in[k]
	}
	body["options"] = map[string]any{"account_sid": twiliosim.DefaultAccountSid}
	if err := h.API(t.Context(), "PUT", "/api/v1/integrations/"+h.ID, body, nil); err != nil {
		t.Fatal(err)
	}
}

// TestOneNumberThatCallsAgainAndAgain: what comes beyond the limit wakes nobody.
func TestOneNumberThatCallsAgainAndAgain(t *testing.T) {
	const from = "+12025550999"
	menus := 0
	var last *handCall
	for range 26 {
		last = target.arrive(t, "From", from)
		if last.address["menu"] != "" {
			menus++
		}
		last.over(t)
	}
	if menus != 20 {
		t.Errorf("%d of 26 calls of one number were served, want 20", menus)
	}
	if legs := target.legsOf(last.sid); legs != 0 {
		t.Errorf("the last call made %d telephones ring", legs)
	}
	if other := target.arrive(t); other.address["menu"] == "" {
		t.Error("another number is not served")
	}
}

// TestTwilioRepeatsWhatItWasSent: its errors are shown to people.
func TestTwilioRepeatsWhatItWasSent(t *testing.T) {
	t.Parallel()
	h, err := start(func(c *demo.Config) {
		c.WrapSim = func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_, secret, ok := r.BasicAuth()
				if !ok {
					next.ServeHTTP(w, r)
					return
				}
				w.Header().Set("Content-Type", "application/json")
				w.WriteHeader(http.StatusUnauthorized)
				_, _ = fmt.Fprintf(w, `{"code": 20003, "status": 401, "message": "wrong secret %s, sent %s", "more_info": "https://%s.example.com"}`, secret, r.Header.Get("Authorization"), secret)
			})
		}
	})
	defer h.stop()
	if err != nil {
		t.Fatal(err)
	}
	c := h.arrive(t)
	c.onHold(t)
	a := h.alertOf(t, c)
	b := h.loggedIn(t)
	eventually(t, "the alert says that Twilio refuses", func() bool {
		return strings.Contains(h.text(t, "/api/v1/alerts/"+a.ID), "20003") || strings.Contains(h.text(t, "/api/v1/integrations/"+h.ID), "20003") || strings.Contains(h.log.String(), "20003")
	})
	texts := map[string]string{
		"alert": h.text(t, "/api/v1/alerts/"+a.ID), "integration": h.text(t, "/api/v1/integrations/"+h.ID), "form": b.get(t, "/settings/integrations/"+h.ID).body,
		"log": h.log.String(), "mails": strings.Join(h.mails.Texts(), "\n"),
	}
	for _, action := range []string{"check", "connect-number"} {
		var out any
		err := h.API(t.Context(), "POST", "/api/v1/integrations/"+h.ID+"/actions/"+action, map[string]any{"values": map[string]string{}}, &out)
		texts[action] = fmt.Sprint(out, err)
	}
	for where, text := range texts {
		t.Run(where, func(t *testing.T) { h.none(t, text) })
	}
}
