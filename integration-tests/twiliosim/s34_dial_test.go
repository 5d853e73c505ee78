package twiliosim_test

import (
	"slices"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/integration-tests/twiliosim"
)

// dialing answers /voice by a <Dial> with an action /dialed.
func (w *world) dialing(attrs, inside string) {
	w.silent("/status", "/leg/status")
	w.twiml("/voice", `<Dial action="/dialed" `+attrs+`>`+inside+`</Dial>`)
	w.twiml("/dialed", `<Say>The dial is over.</Say>`)
	w.twiml("/whisper", `<Say>A call for you.</Say>`)
}

func TestS34_WhisperThenBridge(t *testing.T) {
	play(t, twiliosim.Config{}, func(t *testing.T, w *world) {
		w.dialing("", `<Number url="/whisper">`+alice+`</Number>`)
		w.sim.Phone(alice).AnswersAfter(3*time.Second, "", "")
		c := w.dial()
		leg := c.ConnectedTo(t, alice)
		leg.Hears(t, "a call for you")
		time.Sleep(9 * time.Second)
		leg.HangsUp()
		c.Hears(t, "dial is over")
		c.Ended(t)
		params(t, w.one("/dialed"), "DialCallStatus", "completed", "DialBridged", "true", "DialCallSid", leg.Sid, "DialCallDuration", "9", "CallStatus", "in-progress")
	})
}

func TestS35_ChildLegParameters(t *testing.T) {
	play(t, twiliosim.Config{}, func(t *testing.T, w *world) {
		w.dialing(`callerId="`+hotline+`"`, `<Number url="/whisper">`+alice+`</Number>`)
		w.sim.Phone(alice).AnswersAfter(time.Second, "", "")
		c := w.dial()
		leg := c.ConnectedTo(t, alice)
		params(t, w.one("/whisper"), "CallSid", leg.Sid, "ParentCallSid", c.Sid, "Direction", "outbound-dial", "From", hotline, "To", alice, "CallStatus", "in-progress")
		got := w.rest("GET", "/Calls/"+leg.Sid+".json")
		if got.text("parent_call_sid") != c.Sid || got.text("direction") != "outbound-dial" {
			t.Errorf("resource %v", got.body)
		}
		c.HangsUp()
		c.Ended(t)
		leg.Ended(t)
	})
}

func TestS36_NotAnswered(t *testing.T) {
	for name, x := range map[string]struct {
		set    func(*twiliosim.Phone)
		status string
		after  time.Duration
	}{
		"no answer": {func(p *twiliosim.Phone) { p.Rings() }, "no-answer", 10*time.Second + 5*time.Second + 500*time.Millisecond},
		"busy":      {func(p *twiliosim.Phone) { p.Busy() }, "busy", 500 * time.Millisecond},
		"bad":       {func(p *twiliosim.Phone) { p.Unreachable() }, "failed", 500 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			play(t, twiliosim.Config{}, func(t *testing.T, w *world) {
				w.dialing(`timeout="10"`, alice)
				x.set(w.sim.Phone(alice))
				start := time.Now()
				c := w.dial()
				e := c.Hears(t, "dial is over")
				near(t, "ringing", e.At.Sub(start), x.after)
				c.Ended(t)
				params(t, w.one("/dialed"), "DialCallStatus", x.status, "DialBridged", "false", "DialCallDuration", "-")
			})
		})
	}
}

func TestS37_DeclinedInTheWhisper(t *testing.T) {
	for _, status := range []string{"", "no-answer"} {
		t.Run("switch "+status, func(t *testing.T) {
			play(t, twiliosim.Config{Behaviour: twiliosim.Behaviour{WhisperDeclineStatus: status}}, func(t *testing.T, w *world) {
				w.dialing("", `<Number url="/whisper">`+alice+`</Number>`)
				w.twiml("/whisper", `<Gather action="/key" numDigits="1" timeout="5"><Say>Press 1 to take it.</Say></Gather><Hangup/>`)
				w.twiml("/key", `<Hangup/>`)
				w.sim.Phone(alice).AnswersAfter(time.Second, "press 1", "2")
				c := w.dial()
				c.Hears(t, "dial is over")
				c.Ended(t)
				want := status
				if want == "" {
					want = "completed"
				}
				params(t, w.one("/dialed"), "DialBridged", "false", "DialCallStatus", want)
				for _, e := range c.Transcript() {
					if e.Kind == twiliosim.EventBridged {
						t.Error("they were connected")
					}
				}
			})
		})
	}
}

func TestS38_TheFirstOfTwoNumbers(t *testing.T) {
	play(t, twiliosim.Config{}, func(t *testing.T, w *world) {
		w.dialing("", `<Number url="/whisper" statusCallback="/leg/status">`+alice+`</Number><Number url="/whisper" statusCallback="/leg/status">`+bob+`</Number>`)
		w.sim.Phone(alice).AnswersAfter(8*time.Second, "", "")
		w.sim.Phone(bob).AnswersAfter(3*time.Second, "", "")
		c := w.dial()
		leg := c.ConnectedTo(t, bob)
		lost := w.sim.Phone(alice).Calls()[0]
		if got := lost.Ended(t); got != twiliosim.StatusCanceled {
			t.Errorf("the other leg is %s, want canceled", got)
		}
		params(t, w.one("/whisper"), "CallSid", leg.Sid)
		c.HangsUp()
		c.Ended(t)
		leg.Ended(t)
		var callbacks []string
		for _, r := range w.got("/leg/status") {
			callbacks = append(callbacks, r.form.Get("To")+" "+r.form.Get("CallStatus"))
		}
		slices.Sort(callbacks)
		if want := []string{alice + " canceled", bob + " completed"}; !slices.Equal(callbacks, want) {
			t.Errorf("callbacks %v, want %v", callbacks, want)
		}
	})
}

func TestS38_SequentialTriesOneAfterTheOther(t *testing.T) {
	play(t, twiliosim.Config{}, func(t *testing.T, w *world) {
		w.dialing(`sequential="true" timeout="5"`, `<Number>`+alice+`</Number><Number>`+bob+`</Number>`)
		w.sim.Phone(bob).AnswersAfter(time.Second, "", "")
		start := time.Now()
		c := w.dial()
		c.ConnectedTo(t, bob)
		near(t, "connected", time.Since(start), 500*time.Millisecond+10*time.Second+500*time.Millisecond+time.Second)
		c.HangsUp()
		c.Ended(t)
	})
}

func TestS39_ForeignCallerID(t *testing.T) {
	play(t, twiliosim.Config{VerifiedCallerIDs: []string{"+12025550177"}}, func(t *testing.T, w *world) {
		w.dialing(`callerId="+12025550188"`, alice)
		c := w.dial()
		c.Hears(t, "dial is over")
		c.Ended(t)
		params(t, w.one("/dialed"), "DialCallStatus", "failed", "DialCallSid", "-")
		w.violated(13214)
		if len(w.sim.Phone(alice).Calls()) > 0 {
			t.Error("somebody was called")
		}
		w.sim.Phone(alice).Busy()
		for _, fine := range []string{hotline, caller, "+12025550177"} {
			w.dialing(`callerId="`+fine+`"`, alice)
			w.dial().Ended(t)
		}
		if n := len(w.sim.Phone(alice).Calls()); n != 3 {
			t.Errorf("%d calls, want 3", n)
		}
	})
}

func TestS40_WithheldCallerWithoutCallerID(t *testing.T) {
	for name, x := range map[string]struct {
		fails bool
		calls int
	}{"default": {false, 1}, "switch: fails": {true, 0}} {
		t.Run(name, func(t *testing.T) {
			play(t, twiliosim.Config{Behaviour: twiliosim.Behaviour{AnonymousCallerIDFails: x.fails}}, func(t *testing.T, w *world) {
				w.dialing("", alice)
				w.sim.Phone(alice).Busy()
				w.dialFrom("+266696687").Ended(t)
				legs := w.sim.Phone(alice).Calls()
				if len(legs) != x.calls {
					t.Fatalf("%d calls, want %d", len(legs), x.calls)
				}
				if x.calls > 0 && legs[0].From != "+266696687" {
					t.Errorf("shown number %s", legs[0].From)
				}
				w.violated(13214)
			})
		})
	}
}

func TestS41_DialInAWhisper(t *testing.T) {
	play(t, twiliosim.Config{}, func(t *testing.T, w *world) {
		w.dialing("", `<Number url="/whisper">`+alice+`</Number>`)
		w.twiml("/whisper", `<Dial>`+bob+`</Dial>`)
		w.sim.Phone(alice).AnswersAfter(time.Second, "", "")
		c := w.dial()
		c.Ended(t)
		params(t, w.one("/dialed"), "DialBridged", "false")
		w.violated(13201)
	})
}

func TestS42_CallerHangsUpDuringDial(t *testing.T) {
	for name, x := range map[string]struct {
		b      twiliosim.Behaviour
		answer bool
		status string // "": no action
	}{
		"talking":             {answer: true, status: "completed"},
		"ringing":             {status: "no-answer"},
		"switch: canceled":    {b: twiliosim.Behaviour{AbandonedDialStatus: "canceled"}, status: "canceled"},
		"switch: no action":   {b: twiliosim.Behaviour{NoDialActionOnHangup: true}},
		"switch and talking":  {b: twiliosim.Behaviour{NoDialActionOnHangup: true}, answer: true},
		"talking, with value": {b: twiliosim.Behaviour{AbandonedDialStatus: "canceled"}, answer: true, status: "completed"},
	} {
		t.Run(name, func(t *testing.T) {
			play(t, twiliosim.Config{Behaviour: x.b}, func(t *testing.T, w *world) {
				w.dialing("", alice)
				c := w.dial()
				leg := w.sim.Phone(alice).RingsNext(t)
				if x.answer {
					leg.Answers()
					c.ConnectedTo(t, alice)
				}
				c.HangsUp()
				leg.Ended(t)
				c.Ended(t)
				if x.status == "" {
					if len(w.got("/dialed")) > 0 {
						t.Error("the action was requested")
					}
					return
				}
				params(t, w.one("/dialed"), "CallStatus", "completed", "DialCallStatus", x.status)
				c.HeardNothingLike(t, "dial is over")
			})
		})
	}
}

func TestS43_RESTRedirectDuringDial(t *testing.T) {
	play(t, twiliosim.Config{}, func(t *testing.T, w *world) {
		w.dialing("", alice)
		w.twiml("/next", `<Say>New words.</Say>`)
		w.sim.Phone(alice).AnswersAfter(time.Second, "", "")
		c := w.dial()
		leg := c.ConnectedTo(t, alice)
		time.Sleep(3 * time.Second)
		w.rest("POST", "/Calls/"+c.Sid+".json", "Url", appURL+"/next")
		if got := leg.Ended(t); got != twiliosim.StatusCompleted {
			t.Errorf("child is %s", got)
		}
		c.Hears(t, "new words")
		c.Ended(t)
		params(t, w.one("/dialed"), "DialCallStatus", "completed", "DialBridged", "true", "CallStatus", "in-progress")
		c.HeardNothingLike(t, "dial is over")
		if got := w.order(); slices.Index(got, "/dialed") > slices.Index(got, "/next") {
			t.Errorf("order %v, want the action first", got)
		}
	})
}

// takeFromQueue lets alice dial the queue that the caller waits in.
func takeFromQueue(w *world, attrs string) *twiliosim.Call {
	w.t.Helper()
	made := w.rest("POST", "/Calls.json", "From", hotline, "To", alice,
		"Twiml", `<Response><Dial action="`+appURL+`/dialed" timeout="10"><Queue `+attrs+`>support</Queue></Dial></Response>`)
	if made.status != 201 {
		w.t.Fatalf("create call: %d %v", made.status, made.body)
	}
	leg := w.sim.Phone(alice).RingsNext(w.t)
	leg.Answers()
	return leg
}

func TestDialQueue(t *testing.T) {
	announce := `url="` + appURL + `/announce"`
	setup := func(w *world) {
		w.queueing()
		w.twiml("/announce", `<Say>Somebody takes your call.</Say><Pause length="3"/>`)
		w.twiml("/dialed", `<Hangup/>`)
	}
	t.Run("the caller leaves during the announcement", func(t *testing.T) {
		play(t, twiliosim.Config{}, func(t *testing.T, w *world) {
			setup(w)
			c := w.dial()
			queued(t, c)
			leg := takeFromQueue(w, announce)
			c.Hears(t, "somebody takes")
			c.HangsUp()
			c.Ended(t)
			leg.Ended(t)
			params(t, w.one("/left"), "QueueResult", "hangup", "CallStatus", "completed")
			params(t, w.one("/dialed"), "DialBridged", "false", "DialCallStatus", "completed", "DialCallSid", c.Sid)
		})
	})
	t.Run("the dialer leaves during the announcement", func(t *testing.T) {
		play(t, twiliosim.Config{Behaviour: twiliosim.Behaviour{DialerGoneResult: "error"}}, func(t *testing.T, w *world) {
			setup(w)
			c := w.dial()
			queued(t, c)
			leg := takeFromQueue(w, announce)
			c.Hears(t, "somebody takes")
			leg.HangsUp()
			c.Hears(t, "you left")
			c.Ended(t)
			params(t, w.one("/left"), "QueueResult", "error", "CallStatus", "in-progress")
			params(t, w.one("/dialed"), "DialBridged", "false", "CallStatus", "completed")
		})
	})
	t.Run("the caller is redirected during the announcement", func(t *testing.T) {
		play(t, twiliosim.Config{}, func(t *testing.T, w *world) {
			setup(w)
			c := w.dial()
			queued(t, c)
			leg := takeFromQueue(w, announce)
			c.Hears(t, "somebody takes")
			w.rest("POST", "/Calls/"+c.Sid+".json", "Twiml", `<Response><Say>New words.</Say></Response>`)
			c.Hears(t, "new words")
			c.Ended(t)
			leg.Ended(t)
			params(t, w.one("/left"), "QueueResult", "bridging-in-process")
		})
	})
	t.Run("the caller is redirected while they talk", func(t *testing.T) {
		play(t, twiliosim.Config{}, func(t *testing.T, w *world) {
			setup(w)
			c := w.dial()
			queued(t, c)
			leg := takeFromQueue(w, "")
			c.ConnectedTo(t, alice)
			w.rest("POST", "/Calls/"+c.Sid+".json", "Twiml", `<Response><Say>New words.</Say></Response>`)
			c.Hears(t, "new words")
			c.Ended(t)
			leg.Ended(t)
			params(t, w.one("/left"), "QueueResult", "redirected-from-bridged")
			params(t, w.one("/dialed"), "DialBridged", "true", "CallStatus", "in-progress")
		})
	})
	t.Run("the caller hangs up while they talk", func(t *testing.T) {
		play(t, twiliosim.Config{}, func(t *testing.T, w *world) {
			setup(w)
			c := w.dial()
			queued(t, c)
			leg := takeFromQueue(w, "")
			c.ConnectedTo(t, alice)
			c.HangsUp()
			c.Ended(t)
			leg.Ended(t)
			params(t, w.one("/left"), "QueueResult", "bridged", "CallStatus", "completed")
		})
	})
	t.Run("waits for somebody to join", func(t *testing.T) {
		play(t, twiliosim.Config{}, func(t *testing.T, w *world) {
			setup(w)
			w.rest("POST", "/Queues.json", "FriendlyName", "support")
			leg := takeFromQueue(w, "")
			time.Sleep(4 * time.Second)
			c := w.dial()
			leg.ConnectedTo(t, caller)
			c.HangsUp()
			leg.Ended(t)
		})
	})
	t.Run("empty until the time is up", func(t *testing.T) {
		play(t, twiliosim.Config{}, func(t *testing.T, w *world) {
			setup(w)
			w.rest("POST", "/Queues.json", "FriendlyName", "support")
			leg := takeFromQueue(w, "")
			start := time.Now()
			leg.Ended(t)
			near(t, "wait", time.Since(start), 10*time.Second)
			params(t, w.one("/dialed"), "DialCallStatus", "no-answer", "DialBridged", "false")
		})
	})
	t.Run("no such queue", func(t *testing.T) {
		play(t, twiliosim.Config{}, func(t *testing.T, w *world) {
			setup(w)
			takeFromQueue(w, "").Ended(t)
			params(t, w.one("/dialed"), "DialCallStatus", "failed")
		})
	})
}

func TestAnswerOnBridge(t *testing.T) {
	play(t, twiliosim.Config{}, func(t *testing.T, w *world) {
		w.dialing(`answerOnBridge="true"`, alice)
		c := w.dial()
		leg := w.sim.Phone(alice).RingsNext(t)
		if got := c.Status(); got != twiliosim.StatusRinging {
			t.Errorf("caller is %s before the answer, want ringing", got)
		}
		leg.Answers()
		c.ConnectedTo(t, alice)
		if got := c.Status(); got != twiliosim.StatusInProgress {
			t.Errorf("caller is %s", got)
		}
		leg.HangsUp()
		c.Ended(t)
	})
}

func TestDialLimits(t *testing.T) {
	t.Run("timeLimit", func(t *testing.T) {
		play(t, twiliosim.Config{}, func(t *testing.T, w *world) {
			w.dialing(`timeLimit="6"`, alice)
			w.sim.Phone(alice).AnswersAfter(0, "", "")
			w.dial().Ended(t)
			params(t, w.one("/dialed"), "DialCallDuration", "6", "DialBridged", "true")
		})
	})
	t.Run("hangupOnStar", func(t *testing.T) {
		play(t, twiliosim.Config{}, func(t *testing.T, w *world) {
			w.dialing(`hangupOnStar="true"`, alice)
			w.sim.Phone(alice).AnswersAfter(0, "", "")
			c := w.dial()
			leg := c.ConnectedTo(t, alice)
			time.Sleep(2 * time.Second)
			c.Presses("*")
			c.Hears(t, "dial is over")
			c.Ended(t)
			leg.Ended(t)
			params(t, w.one("/dialed"), "DialCallDuration", "2")
		})
	})
}

func TestNumberMachineDetectionAndDigits(t *testing.T) {
	play(t, twiliosim.Config{}, func(t *testing.T, w *world) {
		w.dialing("", `<Number machineDetection="Enable" amdStatusCallback="/amd" sendDigits="12">`+alice+`</Number>`)
		w.silent("/amd")
		w.sim.Phone(alice).AnswersAfter(time.Second, "", "")
		c := w.dial()
		leg := c.ConnectedTo(t, alice)
		leg.Hears(t, "12")
		time.Sleep(5 * time.Second)
		params(t, w.one("/amd"), "AnsweredBy", "human", "CallSid", leg.Sid)
		c.HangsUp()
		c.Ended(t)
	})
}

func TestWhatIsNotSimulatedIsRefused(t *testing.T) {
	for _, verb := range []string{`<Connect><Stream/></Connect>`, `<Dial><Conference>room</Conference></Dial>`, `<Dial record="record-from-answer">` + alice + `</Dial>`,
		`<Enqueue><Task>{}</Task></Enqueue>`, `<Dial><Client>alice</Client></Dial>`} {
		t.Run(verb, func(t *testing.T) {
			play(t, twiliosim.Config{}, func(t *testing.T, w *world) {
				w.silent("/status")
				w.twiml("/voice", verb)
				c := w.dial()
				c.Hears(t, "application error")
				c.Ended(t)
				w.violated(0)
			})
		})
	}
	t.Run("an attribute", func(t *testing.T) {
		play(t, twiliosim.Config{}, func(t *testing.T, w *world) {
			w.silent("/status")
			w.twiml("/voice", `<Gather timeout="1" partialResultCallback="/x"/>`)
			w.dial().Ended(t)
			w.violated(0)
		})
	})
}
