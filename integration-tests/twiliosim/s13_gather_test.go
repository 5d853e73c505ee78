package twiliosim_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/integration-tests/twiliosim"
)

func TestS13_GatherWithoutKeyFallsThroughAfterTimeout(t *testing.T) {
	play(t, twiliosim.Config{}, func(t *testing.T, w *world) {
		w.silent("/status")
		w.twiml("/voice", `<Gather action="/key" timeout="7"><Say>Press 1 now please.</Say></Gather><Say>Too late.</Say>`)
		c := w.dial()
		prompt := c.Hears(t, "press 1")
		late := c.Hears(t, "too late")
		near(t, "from the prompt's end", late.At.Sub(prompt.At.Add(prompt.Duration)), 7*time.Second)
		c.Ended(t)
		if len(w.got("/key")) > 0 {
			t.Error("the action was requested")
		}
	})
}

func TestS14_ActionOnEmptyResult(t *testing.T) {
	play(t, twiliosim.Config{}, func(t *testing.T, w *world) {
		w.silent("/status")
		w.twiml("/voice", `<Gather action="/key" actionOnEmptyResult="true"/><Say>Fell through.</Say>`)
		w.twiml("/key", `<Hangup/>`)
		c := w.dial()
		c.Ended(t)
		params(t, w.one("/key"), "Digits", "")
		c.HeardNothingLike(t, "fell through")
	})
}

func TestS15_KeyDuringThePromptStopsIt(t *testing.T) {
	play(t, twiliosim.Config{}, func(t *testing.T, w *world) {
		w.silent("/status")
		w.twiml("/voice", `<Gather action="/key" numDigits="1"><Say>A very long prompt that goes on and on and on.</Say><Say>Second prompt.</Say></Gather>`)
		w.twiml("/key", `<Hangup/>`)
		c := w.dial()
		prompt := c.Hears(t, "long prompt")
		time.Sleep(time.Second)
		c.Presses("4")
		c.Ended(t)
		r := w.one("/key")
		params(t, r, "Digits", "4", "CallStatus", "in-progress")
		near(t, "from the prompt's start", r.at.Sub(prompt.At), time.Second)
		c.HeardNothingLike(t, "second prompt")
	})
}

func TestS16_FinishKeyIsNotAmongDigits(t *testing.T) {
	play(t, twiliosim.Config{}, func(t *testing.T, w *world) {
		w.silent("/status")
		w.twiml("/voice", `<Gather action="/key"><Say>Enter a number.</Say></Gather>`)
		w.twiml("/key", `<Hangup/>`)
		c := w.dial()
		c.Hears(t, "enter")
		c.Presses("12#")
		c.Ended(t)
		params(t, w.one("/key"), "Digits", "12", "FinishedOnKey", "-", "msg", "-")
	})
}

func TestS16_SwitchLegacyParameters(t *testing.T) {
	play(t, twiliosim.Config{Behaviour: twiliosim.Behaviour{LegacyGatherParameters: true}}, func(t *testing.T, w *world) {
		w.silent("/status")
		w.twiml("/voice", `<Gather action="/key"><Say>Enter a number.</Say></Gather>`)
		w.twiml("/key", `<Hangup/>`)
		c := w.dial()
		c.Hears(t, "enter")
		c.Presses("12#")
		c.Ended(t)
		params(t, w.one("/key"), "Digits", "12", "FinishedOnKey", "#", "msg", "Gather End")
	})
}

func TestS16_NoFinishKeyWhenEmpty(t *testing.T) {
	play(t, twiliosim.Config{}, func(t *testing.T, w *world) {
		w.silent("/status")
		w.twiml("/voice", `<Gather action="/key" finishOnKey="" numDigits="3"><Say>Enter a number.</Say></Gather>`)
		w.twiml("/key", `<Hangup/>`)
		c := w.dial()
		c.Hears(t, "enter")
		c.Presses("1#*")
		c.Ended(t)
		params(t, w.one("/key"), "Digits", "1#*")
	})
}

func TestS17_FinishKeyFirstIsNoInput(t *testing.T) {
	play(t, twiliosim.Config{}, func(t *testing.T, w *world) {
		w.silent("/status")
		w.twiml("/voice", `<Gather action="/key"><Say>Enter a number.</Say></Gather><Say>Nothing.</Say>`)
		c := w.dial()
		c.Hears(t, "enter")
		c.Presses("#")
		c.Hears(t, "nothing")
		c.Ended(t)
		if len(w.got("/key")) > 0 {
			t.Error("the action was requested")
		}
	})
}

func TestS18_GatherWithoutActionPostsToTheCurrentDocument(t *testing.T) {
	play(t, twiliosim.Config{}, func(t *testing.T, w *world) {
		w.silent("/status")
		w.twiml("/voice", `<Redirect>/menu?page=2</Redirect>`)
		w.on("/menu", func(rw http.ResponseWriter, r *http.Request) {
			if r.PostForm.Get("Digits") != "" {
				writeTwiML(rw, `<Hangup/>`)
				return
			}
			writeTwiML(rw, `<Gather numDigits="1"><Say>Press a key.</Say></Gather>`)
		})
		c := w.dial()
		c.Hears(t, "press a key")
		c.Presses("5")
		c.Ended(t)
		got := w.got("/menu")
		if len(got) != 2 || got[1].query.Get("page") != "2" || got[1].form.Get("Digits") != "5" {
			t.Errorf("requests %v", got)
		}
	})
}

func TestGatherTimeoutRestartsWithEachKey(t *testing.T) {
	play(t, twiliosim.Config{}, func(t *testing.T, w *world) {
		w.silent("/status")
		w.twiml("/voice", `<Gather action="/key" timeout="3"><Say>Enter.</Say></Gather>`)
		w.twiml("/key", `<Hangup/>`)
		c := w.dial()
		c.Hears(t, "enter")
		for range 3 {
			c.Presses("7")
			time.Sleep(2 * time.Second)
		}
		last := time.Now().Add(-2 * time.Second)
		c.Ended(t)
		r := w.one("/key")
		params(t, r, "Digits", "777")
		near(t, "after the last key", r.at.Sub(last), 3*time.Second)
	})
}

func TestGatherHangUpRequestsNoAction(t *testing.T) {
	play(t, twiliosim.Config{}, func(t *testing.T, w *world) {
		w.silent("/status")
		w.twiml("/voice", `<Gather action="/key"><Say>Enter a number.</Say></Gather>`)
		c := w.dial()
		c.Hears(t, "enter")
		c.HangsUp()
		c.Ended(t)
		if len(w.got("/key")) > 0 || len(w.got("/status")) != 1 {
			t.Errorf("requests %v", w.order())
		}
	})
}

func TestGatherSpeech(t *testing.T) {
	play(t, twiliosim.Config{}, func(t *testing.T, w *world) {
		w.silent("/status")
		w.twiml("/voice", `<Gather input="dtmf speech" action="/said"><Say>Say a team.</Say></Gather>`)
		w.twiml("/said", `<Hangup/>`)
		c := w.dial()
		c.Hears(t, "say a team")
		c.Says("Support please")
		c.Ended(t)
		params(t, w.one("/said"), "SpeechResult", "Support please", "Confidence", "0.9", "Digits", "-")
	})
}

func TestKeysOutsideOfGatherAreLost(t *testing.T) {
	play(t, twiliosim.Config{}, func(t *testing.T, w *world) {
		w.silent("/status")
		w.twiml("/voice", `<Say>A long welcome to everybody.</Say><Gather action="/key" numDigits="1" timeout="2"><Say>Press.</Say></Gather><Say>Nothing came.</Say>`)
		c := w.dial()
		c.Hears(t, "welcome")
		c.Presses("1")
		c.Hears(t, "nothing came")
		c.Ended(t)
	})
}

func TestGatherFetchesAllFilesFirst(t *testing.T) {
	play(t, twiliosim.Config{}, func(t *testing.T, w *world) {
		w.silent("/status")
		w.twiml("/voice", `<Gather timeout="1"><Say>First words.</Say><Play>/missing.mp3</Play></Gather>`)
		c := w.dial()
		c.Hears(t, "application error")
		c.Ended(t)
		c.HeardNothingLike(t, "first words")
		w.violated(11200)
	})
}
