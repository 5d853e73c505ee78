package twiliosim_test

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/integration-tests/twiliosim"
)

// queueing answers /voice by a queue with wait document /hold and action /left.
func (w *world) queueing() {
	w.silent("/status")
	w.twiml("/voice", `<Enqueue action="/left" waitUrl="/hold">support</Enqueue><Say>After the queue.</Say>`)
	w.twiml("/hold", `<Say>Please wait.</Say><Pause length="10"/>`)
	w.twiml("/left", `<Say>You left the queue.</Say>`)
}

// queued waits until the call is in a queue, and returns the queue's SID.
func queued(t *testing.T, c *twiliosim.Call) string {
	t.Helper()
	return c.Saw(t, "a queue", func(e twiliosim.Event) bool { return e.Kind == twiliosim.EventQueued }).Note
}

func (w *world) listQueues() []map[string]any {
	w.t.Helper()
	var out []map[string]any
	rows, _ := w.rest("GET", "/Queues.json").body["queues"].([]any)
	for _, r := range rows {
		m, _ := r.(map[string]any)
		out = append(out, m)
	}
	return out
}

func TestS19_EnqueueCreatesTheQueue(t *testing.T) {
	play(t, twiliosim.Config{}, func(t *testing.T, w *world) {
		w.queueing()
		c := w.dial()
		sid := queued(t, c)
		qs := w.listQueues()
		if len(qs) != 1 || qs[0]["sid"] != sid || qs[0]["friendly_name"] != "support" || qs[0]["max_size"] != 1000.0 || qs[0]["current_size"] != 1.0 {
			t.Errorf("queues %v", qs)
		}
		c.HangsUp()
		c.Ended(t)
	})
}

func TestS20_WrongEnqueueIsAnError(t *testing.T) {
	long := strings.Repeat("q", 65)
	for name, x := range map[string]struct {
		verb string
		code int
	}{
		"65 characters":     {`<Enqueue>` + long + `</Enqueue>`, 14205},
		"no name":           {`<Enqueue/>`, 14204},
		"bad waitUrl":       {`<Enqueue waitUrl="ftp://x/y">q</Enqueue>`, 14202},
		"bad action":        {`<Enqueue action="http://">q</Enqueue>`, 14203},
		"bad method":        {`<Enqueue method="PUT">q</Enqueue>`, 14201},
		"bad waitUrlMethod": {`<Enqueue waitUrlMethod="get">q</Enqueue>`, 14206},
	} {
		t.Run(name, func(t *testing.T) {
			play(t, twiliosim.Config{Numbers: fallbackNumber()}, func(t *testing.T, w *world) {
				w.silent("/status")
				w.twiml("/voice", x.verb)
				w.twiml("/fallback", `<Hangup/>`)
				w.dial().Ended(t)
				params(t, w.one("/fallback"), "ErrorCode", strconv.Itoa(x.code))
				w.violated(x.code)
			})
		})
	}
	t.Run("64 characters", func(t *testing.T) {
		play(t, twiliosim.Config{}, func(t *testing.T, w *world) {
			w.silent("/status")
			w.twiml("/voice", `<Enqueue>`+long[:64]+`</Enqueue>`)
			c := w.dial()
			queued(t, c)
			c.HangsUp()
			c.Ended(t)
		})
	})
}

func TestS21_FullQueue(t *testing.T) {
	play(t, twiliosim.Config{}, func(t *testing.T, w *world) {
		w.queueing()
		first := w.dial()
		sid := queued(t, first)
		w.rest("POST", "/Queues/"+sid+".json", "MaxSize", "1")
		second := w.dialFrom("+12025550198")
		second.Hears(t, "you left")
		params(t, w.one("/left"), "QueueResult", "queue-full", "QueueSid", "-", "QueueTime", "-", "CallSid", second.Sid)
		second.Ended(t)
		first.HangsUp()
		first.Ended(t)
	})
}

func TestS22_WaitDocumentIsAskedForAgain(t *testing.T) {
	play(t, twiliosim.Config{}, func(t *testing.T, w *world) {
		w.queueing()
		first := w.dial()
		queued(t, first)
		second := w.dialFrom("+12025550198")
		queued(t, second)
		time.Sleep(25 * time.Second)
		var times, positions, sizes []string
		for _, r := range w.got("/hold") {
			if r.form.Get("CallSid") == second.Sid {
				times = append(times, r.form.Get("QueueTime"))
				positions = append(positions, r.form.Get("QueuePosition"))
				sizes = append(sizes, r.form.Get("CurrentQueueSize"))
			}
		}
		if !slices.Equal(times, []string{"0", "10", "21"}) || !slices.Equal(positions, []string{"2", "2", "2"}) || !slices.Equal(sizes, []string{"2", "2", "2"}) {
			t.Errorf("QueueTime %v, QueuePosition %v, CurrentQueueSize %v", times, positions, sizes)
		}
		first.HangsUp()
		first.Ended(t)
		time.Sleep(10 * time.Second)
		hold := w.got("/hold")
		params(t, hold[len(hold)-1], "QueuePosition", "1", "CurrentQueueSize", "1", "MaxQueueSize", "1000")
		second.HangsUp()
		second.Ended(t)
	})
}

func TestS22_EmptyWaitDocumentIsAViolation(t *testing.T) {
	play(t, twiliosim.Config{}, func(t *testing.T, w *world) {
		w.queueing()
		w.twiml("/hold", ``)
		c := w.dial()
		queued(t, c)
		time.Sleep(2500 * time.Millisecond)
		c.HangsUp()
		c.Ended(t)
		w.violated(0, 0, 0)
	})
}

func TestS23_AudioWaitURLLoops(t *testing.T) {
	play(t, twiliosim.Config{AudioLength: 20 * time.Second}, func(t *testing.T, w *world) {
		w.queueing()
		w.on("/hold", func(rw http.ResponseWriter, _ *http.Request) {
			rw.Header().Set("Content-Type", "audio/mpeg")
			_, _ = rw.Write([]byte("not really"))
		})
		c := w.dial()
		for range 3 {
			c.Hears(t, "/hold")
		}
		c.HangsUp()
		c.Ended(t)
	})
}

func TestS24_ForbiddenVerbInWaitDocument(t *testing.T) {
	for _, verb := range []string{`<Dial>+12025550143</Dial>`, `<Record/>`, `<Enqueue>other</Enqueue>`} {
		t.Run(verb, func(t *testing.T) {
			play(t, twiliosim.Config{}, func(t *testing.T, w *world) {
				w.queueing()
				w.twiml("/hold", verb)
				w.dial().Ended(t)
				params(t, w.one("/left"), "QueueResult", "error")
				w.violated(12200)
			})
		})
	}
	t.Run("switch: skipped", func(t *testing.T) {
		play(t, twiliosim.Config{Behaviour: twiliosim.Behaviour{WaitVerbContinues: true}}, func(t *testing.T, w *world) {
			w.queueing()
			w.twiml("/hold", `<Record/><Say>Still waiting.</Say><Leave/>`)
			c := w.dial()
			c.Hears(t, "still waiting")
			c.Ended(t)
			params(t, w.one("/left"), "QueueResult", "leave")
			w.violated(12200)
		})
	})
}

func TestS25_LeaveRunsTheAction(t *testing.T) {
	play(t, twiliosim.Config{}, func(t *testing.T, w *world) {
		w.queueing()
		w.twiml("/hold", `<Say>Please wait.</Say><Leave/><Say>Never said.</Say>`)
		c := w.dial()
		c.Hears(t, "you left")
		c.Ended(t)
		params(t, w.one("/left"), "QueueResult", "leave", "CallStatus", "in-progress")
		c.HeardNothingLike(t, "never said")
		if qs := w.listQueues(); qs[0]["current_size"] != 0.0 {
			t.Errorf("queue %v", qs)
		}
	})
	t.Run("without an action: the next verb", func(t *testing.T) {
		play(t, twiliosim.Config{}, func(t *testing.T, w *world) {
			w.silent("/status")
			w.twiml("/voice", `<Enqueue waitUrl="/hold">support</Enqueue><Say>After the queue.</Say>`)
			w.twiml("/hold", `<Gather action="/star" numDigits="1"><Say>Press star.</Say></Gather>`)
			w.twiml("/star", `<Leave/>`)
			c := w.dial()
			c.Hears(t, "press star")
			c.Presses("*")
			c.Hears(t, "after the queue")
			c.Ended(t)
		})
	})
}

func TestS26_HangUpInTheQueue(t *testing.T) {
	for name, x := range map[string]struct {
		callbackFirst bool
		last          []string
	}{
		"default":                {false, []string{"/left", "/status"}},
		"switch: callback first": {true, []string{"/status", "/left"}},
	} {
		t.Run(name, func(t *testing.T) {
			play(t, twiliosim.Config{Behaviour: twiliosim.Behaviour{StatusCallbackFirst: x.callbackFirst}}, func(t *testing.T, w *world) {
				w.queueing()
				c := w.dial()
				queued(t, c)
				time.Sleep(4 * time.Second)
				c.HangsUp()
				if qs := w.listQueues(); qs[0]["current_size"] != 0.0 {
					t.Errorf("queue %v", qs)
				}
				c.Ended(t)
				time.Sleep(time.Second)
				params(t, w.one("/left"), "QueueResult", "hangup", "QueueTime", "4", "CallStatus", "completed")
				c.HeardNothingLike(t, "you left")
				if got := w.order(); !slices.Equal(got[len(got)-2:], x.last) {
					t.Errorf("order %v, want %v last", got, x.last)
				}
			})
		})
	}
}

func TestS27_RESTUpdateTakesTheCallOutOfTheQueue(t *testing.T) {
	play(t, twiliosim.Config{}, func(t *testing.T, w *world) {
		w.queueing()
		c := w.dial()
		queued(t, c)
		got := w.rest("POST", "/Calls/"+c.Sid+".json", "Twiml", `<Response><Say>New words.</Say></Response>`)
		if got.status != 200 || got.text("status") != "in-progress" {
			t.Errorf("answer %d %v", got.status, got.body)
		}
		c.Hears(t, "new words")
		c.Ended(t)
		params(t, w.one("/left"), "QueueResult", "redirected", "CallStatus", "in-progress")
		c.HeardNothingLike(t, "you left")
	})
	t.Run("by Url", func(t *testing.T) {
		play(t, twiliosim.Config{}, func(t *testing.T, w *world) {
			w.queueing()
			w.twiml("/next", `<Say>New words.</Say>`)
			c := w.dial()
			queued(t, c)
			w.rest("POST", "/Calls/"+c.Sid+".json", "Url", appURL+"/next")
			c.Hears(t, "new words")
			c.Ended(t)
			if got := w.order(); slices.Index(got, "/left") > slices.Index(got, "/next") {
				t.Errorf("order %v, want the action first", got)
			}
		})
	})
}

func TestS28_UpdateOfAnEndedCall(t *testing.T) {
	play(t, twiliosim.Config{}, func(t *testing.T, w *world) {
		w.hangupAll()
		c := w.dial()
		c.Ended(t)
		for _, pairs := range [][]string{{"Twiml", "<Response/>"}, {"Url", appURL + "/next"}, {"Status", "completed"}} {
			got := w.rest("POST", "/Calls/"+c.Sid+".json", pairs...)
			refused(t, got, 400, 21220)
			if got.text("message") != "Call is not in-progress. Cannot redirect." {
				t.Errorf("message %q", got.text("message"))
			}
		}
	})
	t.Run("ringing", func(t *testing.T) {
		play(t, twiliosim.Config{}, func(t *testing.T, w *world) {
			made := w.rest("POST", "/Calls.json", "From", hotline, "To", alice, "Twiml", "<Response/>")
			leg := w.sim.Phone(alice).RingsNext(t)
			refused(t, w.rest("POST", "/Calls/"+made.text("sid")+".json", "Twiml", "<Response/>"), 400, 21220)
			leg.Declines()
			leg.Ended(t)
		})
	})
}

func TestS29_UnknownCall(t *testing.T) {
	play(t, twiliosim.Config{}, func(t *testing.T, w *world) {
		path := "/Calls/CA000000000000000000000000000000ff.json"
		for _, method := range []string{"GET", "POST"} {
			got := w.rest(method, path)
			refused(t, got, 404, 20404)
			if want := "The requested resource /2010-04-01/Accounts/" + twiliosim.DefaultAccountSid + path + " was not found"; got.text("message") != want {
				t.Errorf("message %q, want %q", got.text("message"), want)
			}
		}
	})
}

func TestS30_LiveUpdateNeedsAbsoluteURLs(t *testing.T) {
	for name, x := range map[string]struct {
		twiml string
		code  int
	}{
		"relative action":           {`<Gather action="/key"/>`, 15004},
		"Gather without action":     {`<Gather/>`, 15004},
		"relative Redirect":         {`<Redirect>/x</Redirect>`, 15004},
		"relative Play":             {`<Play>/x.mp3</Play>`, 15004},
		"Record without action":     {`<Record/>`, 11100},
		"relative action of Record": {`<Record action="/x"/>`, 15004},
		"relative queue url":        {`<Dial><Queue url="/x">support</Queue></Dial>`, 15004},
	} {
		t.Run(name, func(t *testing.T) {
			play(t, twiliosim.Config{}, func(t *testing.T, w *world) {
				w.queueing()
				c := w.dial()
				queued(t, c)
				if got := w.rest("POST", "/Calls/"+c.Sid+".json", "Twiml", `<Response>`+x.twiml+`</Response>`); got.status != 200 {
					t.Errorf("answer %d, want 200: the error comes later", got.status)
				}
				c.Hears(t, "application error")
				c.Ended(t)
				w.violated(x.code)
			})
		})
	}
	t.Run("Record without action by Url", func(t *testing.T) {
		play(t, twiliosim.Config{}, func(t *testing.T, w *world) {
			w.queueing()
			w.twiml("/next", `<Record/>`)
			c := w.dial()
			queued(t, c)
			w.rest("POST", "/Calls/"+c.Sid+".json", "Url", appURL+"/next")
			c.Hears(t, "application error")
			c.Ended(t)
			w.violated(11100)
		})
	})
}

func TestS31_LongTwiml(t *testing.T) {
	play(t, twiliosim.Config{Behaviour: twiliosim.Behaviour{LongTwimlRefusal: 21617}}, func(t *testing.T, w *world) {
		long := "<Response><Say>" + strings.Repeat("a", 4000) + "</Say></Response>"
		refused(t, w.rest("POST", "/Calls.json", "From", hotline, "To", alice, "Twiml", long), 400, 21617)
		if got := w.rest("GET", "/Calls.json").body["calls"].([]any); len(got) != 0 {
			t.Errorf("calls %v", got)
		}
	})
}

func TestS32_StatusUpdates(t *testing.T) {
	play(t, twiliosim.Config{CallsPerSecond: -1}, func(t *testing.T, w *world) {
		w.queueing()
		c := w.dial()
		queued(t, c)
		if got := w.rest("POST", "/Calls/"+c.Sid+".json", "Status", "canceled"); got.status != 200 || got.text("status") != "in-progress" {
			t.Errorf("canceled on in-progress: %d %v", got.status, got.body)
		}
		if got := w.rest("POST", "/Calls/"+c.Sid+".json", "Status", "completed"); got.status != 200 || got.text("status") != "completed" {
			t.Errorf("completed: %d %v", got.status, got.body)
		}
		c.Ended(t)
		params(t, w.one("/left"), "QueueResult", "hangup", "CallStatus", "completed")
		for _, status := range []string{"canceled", "completed"} {
			made := w.rest("POST", "/Calls.json", "From", hotline, "To", alice, "Twiml", "<Response/>")
			w.sim.Phone(alice).RingsNext(t)
			if got := w.rest("POST", "/Calls/"+made.text("sid")+".json", "Status", status); got.text("status") != "canceled" {
				t.Errorf("%s on ringing: %v", status, got.body)
			}
		}
		refused(t, w.rest("POST", "/Calls/"+c.Sid+".json", "Status", "ended"), 400, 20001)
	})
}

func TestS33_StatusCallbackOnlyWithUrl(t *testing.T) {
	play(t, twiliosim.Config{}, func(t *testing.T, w *world) {
		w.queueing()
		w.silent("/other")
		w.twiml("/next", `<Pause length="2"/>`)
		first := w.dial()
		queued(t, first)
		w.rest("POST", "/Calls/"+first.Sid+".json", "Twiml", `<Response><Hangup/></Response>`, "StatusCallback", appURL+"/other")
		first.Ended(t)
		if len(w.got("/other")) != 0 {
			t.Error("StatusCallback without Url took effect")
		}
		second := w.dial()
		queued(t, second)
		w.rest("POST", "/Calls/"+second.Sid+".json", "Url", appURL+"/next", "StatusCallback", appURL+"/other")
		second.Ended(t)
		params(t, w.one("/other"), "CallStatus", "completed", "CallSid", second.Sid)
	})
}

func TestS53_DeleteQueue(t *testing.T) {
	play(t, twiliosim.Config{}, func(t *testing.T, w *world) {
		w.queueing()
		c := w.dial()
		sid := queued(t, c)
		refused(t, w.rest("DELETE", "/Queues/"+sid+".json"), 400, 20001)
		c.HangsUp()
		c.Ended(t)
		if got := w.rest("DELETE", "/Queues/"+sid+".json"); got.status != 204 {
			t.Errorf("answer %d", got.status)
		}
		refused(t, w.rest("DELETE", "/Queues/"+sid+".json"), 404, 20404)
	})
}

func TestS54_MembersFront(t *testing.T) {
	play(t, twiliosim.Config{}, func(t *testing.T, w *world) {
		w.queueing()
		w.twiml("/next", `<Say>It is your turn.</Say>`)
		first := w.dial()
		sid := queued(t, first)
		second := w.dialFrom("+12025550198")
		queued(t, second)
		refused(t, w.rest("POST", "/Queues/"+sid+"/Members/Front.json"), 400, 21205)
		got := w.rest("POST", "/Queues/"+sid+"/Members/Front.json", "Url", appURL+"/next")
		if got.status != 200 || got.text("call_sid") != first.Sid {
			t.Errorf("answer %d %v", got.status, got.body)
		}
		first.Hears(t, "your turn")
		first.Ended(t)
		params(t, w.one("/left"), "QueueResult", "redirected", "CallSid", first.Sid)
		refused(t, w.rest("POST", "/Queues/"+sid+"/Members/"+first.Sid+".json", "Url", appURL+"/next"), 404, 20404)
		if got := w.rest("GET", "/Queues/"+sid+"/Members.json").body["queue_members"].([]any); len(got) != 1 {
			t.Errorf("members %v", got)
		}
		second.HangsUp()
		second.Ended(t)
	})
}

func TestWaitURLEmptyPlaysNothing(t *testing.T) {
	play(t, twiliosim.Config{}, func(t *testing.T, w *world) {
		w.silent("/status")
		w.twiml("/voice", `<Enqueue waitUrl="">support</Enqueue>`)
		c := w.dial()
		queued(t, c)
		time.Sleep(time.Minute)
		for _, e := range c.Transcript() {
			if e.Kind == twiliosim.EventPlayed || e.Kind == twiliosim.EventSaid {
				t.Errorf("heard %v", e)
			}
		}
		c.HangsUp()
		c.Ended(t)
	})
}
