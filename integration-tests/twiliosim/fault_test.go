package twiliosim_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/livecallrouting/livecall/integration-tests/twiliosim"
)

func (w *world) fault(f twiliosim.Fault) {
	w.t.Helper()
	if _, err := w.sim.AddFault(f); err != nil {
		w.t.Fatal(err)
	}
}

func TestWebhookFaults(t *testing.T) {
	for name, x := range map[string]struct {
		fault    twiliosim.Fault
		requests int           // of /voice
		fallback string        // ErrorCode; "": not used
		after    time.Duration // until the first document runs
	}{
		"lose":        {twiliosim.Fault{Do: twiliosim.FaultLose}, 0, "11205", 5 * time.Second},
		"lose answer": {twiliosim.Fault{Do: twiliosim.FaultLoseAnswer}, 1, "11205", 15 * time.Second},
		"reset":       {twiliosim.Fault{Do: twiliosim.FaultReset}, 0, "11200", 0},
		"double":      {twiliosim.Fault{Do: twiliosim.FaultDouble}, 2, "", 0},
		"delay":       {twiliosim.Fault{Do: twiliosim.FaultDelay, Delay: 4 * time.Second}, 1, "", 4 * time.Second},
		"status":      {twiliosim.Fault{Do: twiliosim.FaultStatus, Status: 503}, 1, "11200", 0},
	} {
		t.Run(name, func(t *testing.T) {
			play(t, twiliosim.Config{Numbers: fallbackNumber()}, func(t *testing.T, w *world) {
				w.silent("/status")
				w.twiml("/voice", `<Say>Here we are.</Say>`)
				w.twiml("/fallback", `<Say>Here we are.</Say>`)
				x.fault.On, x.fault.Match = twiliosim.OnWebhook, "^POST .*/voice$"
				w.fault(x.fault)
				start := time.Now()
				c := w.dial()
				e := c.Hears(t, "here we are")
				near(t, "until the first words", e.At.Sub(start), x.after)
				c.Ended(t)
				if n := len(w.got("/voice")); n != x.requests {
					t.Errorf("%d requests, want %d", n, x.requests)
				}
				if x.fallback != "" {
					params(t, w.one("/fallback"), "ErrorCode", x.fallback)
				} else if len(w.got("/fallback")) > 0 {
					t.Error("the fallback was requested")
				}
				w.violated() // what a test asks for is nobody's fault
				if f := w.sim.Faults(); len(f) != 1 || f[0].Hits != 1 {
					t.Errorf("faults %v", f)
				}
			})
		})
	}
}

func TestDoubledWebhookHasOneToken(t *testing.T) {
	play(t, twiliosim.Config{}, func(t *testing.T, w *world) {
		w.hangupAll()
		w.fault(twiliosim.Fault{On: twiliosim.OnWebhook, Do: twiliosim.FaultDouble})
		w.dial().Ended(t)
		synctest.Wait() // until the second has arrived, too
		got := w.got("/voice")
		if len(got) != 2 || got[0].form.Encode() != got[1].form.Encode() ||
			got[0].header.Get("I-Twilio-Idempotency-Token") != got[1].header.Get("I-Twilio-Idempotency-Token") {
			t.Errorf("requests %v", got)
		}
	})
}

func TestLostStatusCallback(t *testing.T) {
	play(t, twiliosim.Config{}, func(t *testing.T, w *world) {
		w.hangupAll()
		w.fault(twiliosim.Fault{On: twiliosim.OnCallback, Do: twiliosim.FaultLose, Count: -1})
		w.dial().Ended(t)
		if len(w.got("/status")) > 0 {
			t.Error("it arrived")
		}
		w.sim.ClearFaults()
		w.dial().Ended(t)
		w.one("/status")
	})
}

func TestRESTFaults(t *testing.T) {
	play(t, twiliosim.Config{}, func(t *testing.T, w *world) {
		queues := func(name string) restAnswer { return w.rest("POST", "/Queues.json", "FriendlyName", name) }
		for status, code := range map[int]int{429: 20429, 500: 20500, 503: 20503, 401: 20003} {
			w.fault(twiliosim.Fault{On: twiliosim.OnREST, Match: "^POST .*/Queues.json$", Do: twiliosim.FaultStatus, Status: status})
			refused(t, queues("never"), status, code)
		}
		w.fault(twiliosim.Fault{On: twiliosim.OnREST, Do: twiliosim.FaultStatus, Status: 502})
		if got := queues("never"); got.status != 502 || got.body != nil {
			t.Errorf("502: %v", got)
		}
		w.fault(twiliosim.Fault{On: twiliosim.OnREST, Do: twiliosim.FaultDelay, Delay: 7 * time.Second})
		start := time.Now()
		if got := queues("late"); got.status != 201 {
			t.Errorf("answer %d", got.status)
		}
		near(t, "delay", time.Since(start), 7*time.Second)
		lost := func(do string) {
			t.Helper()
			w.fault(twiliosim.Fault{On: twiliosim.OnREST, Do: do})
			defer func() {
				if recover() == nil {
					t.Errorf("%s: the connection was not cut", do)
				}
			}()
			queues(do)
		}
		lost(twiliosim.FaultLose)
		lost(twiliosim.FaultReset)
		lost(twiliosim.FaultLoseAnswer)
		var names []string
		for _, q := range w.listQueues() {
			names = append(names, q["friendly_name"].(string))
		}
		if len(names) != 2 || names[0] != "late" || names[1] != "lose_answer" {
			t.Errorf("queues %v, want late and lose_answer: done although the answer was lost", names)
		}
	})
}

func TestFaultsAreChecked(t *testing.T) {
	play(t, twiliosim.Config{}, func(t *testing.T, w *world) {
		for _, f := range []twiliosim.Fault{
			{On: "tea", Do: twiliosim.FaultLose}, {On: twiliosim.OnREST, Do: "spill"}, {On: twiliosim.OnREST, Do: twiliosim.FaultDelay},
			{On: twiliosim.OnREST, Do: twiliosim.FaultStatus, Status: 42}, {On: twiliosim.OnREST, Do: twiliosim.FaultLose, Match: "("},
		} {
			if _, err := w.sim.AddFault(f); err == nil {
				t.Errorf("%+v is accepted", f)
			}
		}
	})
}
