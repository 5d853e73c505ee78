package render

import (
	"maps"
	"strconv"
	"time"

	"github.com/livecallrouting/livecall/plugin/internal/callflow/event"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/reply"
	"github.com/livecallrouting/livecall/plugin/internal/endpoint"
	"github.com/livecallrouting/livecall/plugin/internal/options"
	"github.com/livecallrouting/livecall/plugin/internal/prompts"
	"github.com/livecallrouting/livecall/plugin/internal/twiml"
)

// Renderer turns replies into documents. It holds what all documents of a call have in common.
type Renderer struct {
	speaker
	links endpoint.Links
	music []string // addresses of the hold music's slices
}

// holdGap is the silence after a slice of music before the next is asked for: the least that Gather
// takes.
const holdGap = 1

// Render makes the document of a reply. Every reply has a document, as Twilio must be answered. An
// unknown reply is an empty one.
func (r Renderer) Render(answer reply.Reply) twiml.Document {
	switch v := answer.(type) {
	case reply.Reject:
		return twiml.New(twiml.Reject{Busy: v.Busy})
	case reply.Hangup:
		return twiml.New(append(r.Say(v.Say), twiml.Hangup{})...)
	case reply.Menu:
		return r.menu(v)
	case reply.Enqueue:
		return twiml.New(append(r.Say(v.Say), twiml.Enqueue{
			Action: r.links.At(event.Left, v.Step), WaitURL: r.links.Hold(event.Tick, v.Step, 0, 0), Name: r.links.Queue(),
		})...)
	case reply.Hold:
		return r.wait(v)
	case reply.LeaveQueue:
		return twiml.New(twiml.Leave{})
	case reply.Record:
		return r.record(v)
	case reply.Ask:
		return r.ask(v)
	case reply.Play:
		return r.play(v)
	case reply.Join:
		to := r.links.Of(v.Call).At(event.LegJoins, v.Leg)
		if v.Back {
			to = r.links.Of(v.Call).Leg(event.LegAnswer, strconv.Itoa(v.Leg), 0)
		}
		return twiml.New(append(r.Say(v.Say), twiml.Redirect{URL: to})...)
	case reply.Stay:
		return twiml.New(append(r.Say(v.Say), twiml.Pause{Seconds: stayPause}, twiml.Redirect{URL: r.links.Leg(event.LegAnswer, v.Leg, v.Step)})...)
	// Twilio takes 5 seconds at least (Twilio docs: voice/twiml/dial, timeout).
	case reply.DialQueue:
		return twiml.New(append(r.Say(v.Say), twiml.Dial{
			Action: r.links.Leg(event.LegEnded, v.Leg, v.Step), Timeout: max(5, whole(v.Timeout)),
			Queue: twiml.Queue{Name: r.links.Queue(), URL: r.links.At(event.Announce, v.Step)},
		})...)
	// Twilio plays this to the caller who is taken out of the queue, just before the two are joined
	// (Twilio docs: voice/twiml/queue, url).
	case reply.Announce:
		return twiml.New(r.Say(v.Say)...)
	// A refused request may be forged, so it hears nothing of the instance: our own words in our
	// own language, whatever the options say.
	case reply.Refused:
		return twiml.New(append(speaker{language: prompts.DefaultLanguage}.prompt(reply.Prompt{Key: reply.PromptRefused}), twiml.Hangup{})...)
	case reply.Empty:
		return twiml.New()
	}
	return twiml.New()
}

// stayPause is how long a responder waits, in seconds, before it is looked again whether the caller
// is in the queue.
const stayPause = 2

// whole is a duration in whole seconds, which is all that TwiML knows; a fraction is dropped.
func whole(d time.Duration) int { return int(d / time.Second) }

// menu gathers keys while the prompts play. With one digit every key is reported at once, pound and
// star among them, as neither is a choice; with two, pound ends a single digit. Silence is reported
// too.
func (r Renderer) menu(v reply.Menu) twiml.Document {
	action := r.links.At(event.MenuKeys, v.Step)
	finish := twiml.Key("")
	if v.Digits > 1 {
		finish = twiml.Key("#")
	}
	return twiml.New(
		twiml.Gather{
			Action: action, Timeout: max(1, whole(v.Timeout)), NumDigits: v.Digits, FinishOnKey: finish, ActionOnEmptyResult: true,
			Nested: append(r.Say(v.Intro), r.Say(v.Items)...),
		},
		twiml.Redirect{URL: action}, // should Twilio fall through all the same
	)
}

// wait is the hold document. It ends by asking for the next one, whose URL carries the tick and
// when the caller last heard something, so that both go on without anything being stored.
func (r Renderer) wait(v reply.Hold) twiml.Document {
	verbs := append(r.Say(v.Say), twiml.Play{URL: r.music[v.Tick%len(r.music)]})
	next := twiml.Redirect{URL: r.links.Hold(event.Tick, v.Step, v.Tick+1, whole(v.Said))}
	if !v.Star {
		return twiml.New(append(verbs, next)...)
	}
	return twiml.New(
		twiml.Gather{Action: r.links.Hold(event.HoldKey, v.Step, v.Tick+1, whole(v.Said)), Timeout: holdGap, NumDigits: 1, FinishOnKey: twiml.Key(""), Nested: verbs},
		next,
	)
}

// record takes a message. "absent" is asked for as well as "completed", as a caller who says
// nothing ends the wait for audio, too. The Hangup behind Record is reached when Twilio heard
// nothing and goes on with the document instead of asking the action (Twilio docs:
// voice/twiml/record).
func (r Renderer) record(v reply.Record) twiml.Document {
	rec := twiml.Record{
		Action: r.links.At(event.Recorded, v.Step), MaxLength: max(2, whole(v.MaxLength)), Timeout: whole(v.Silence), FinishOnKey: v.FinishOnKey,
		StatusCallback: r.links.At(event.Recording, v.Step), StatusEvents: []string{"completed", "absent"},
	}
	if v.Transcribe {
		rec.Transcribe, rec.TranscribeCallback = true, r.links.At(event.Transcription, v.Step)
	}
	return twiml.New(append(r.Say(v.Say), rec, twiml.Hangup{})...)
}

// ask puts a question to a responder. Every key is reported, and so is silence.
func (r Renderer) ask(v reply.Ask) twiml.Document {
	action := r.links.Leg(event.LegKey, v.Leg, v.Step)
	return twiml.New(
		twiml.Gather{
			Action: action, Timeout: max(1, whole(v.Timeout)), NumDigits: 1, FinishOnKey: twiml.Key(""), ActionOnEmptyResult: true,
			Nested: r.Say(v.Say),
		},
		twiml.Redirect{URL: action},
	)
}

// play plays messages to a responder and asks for a key, which is taken while they play: whoever
// knows what to do need not hear all of it. A medium without an address is passed over.
func (r Renderer) play(v reply.Play) twiml.Document {
	action := r.links.Leg(event.LegKey, v.Leg, v.Step)
	var verbs []twiml.Verb
	for _, ref := range v.Media {
		if r.media[ref] == "" {
			continue
		}
		if len(verbs) > 0 {
			verbs = append(verbs, r.Say(v.Between)...)
		}
		verbs = append(verbs, twiml.Play{URL: r.media[ref]})
	}
	return twiml.New(
		twiml.Gather{
			Action: action, Timeout: max(1, whole(v.Timeout)), NumDigits: 1, FinishOnKey: twiml.Key(""), ActionOnEmptyResult: true,
			Nested: append(verbs, r.Say(v.Say)...),
		},
		twiml.Redirect{URL: action},
	)
}

// New makes the renderer of one call. media holds the public address of each uploaded file, and of
// the call's own recordings that may be played; music the addresses that the hold music is played
// from. The files of the dead fields are not used.
func New(o options.Options, media map[string]string, music []string, links endpoint.Links, dead ...reply.PromptKey) Renderer {
	if len(dead) > 0 {
		o.Prompts = maps.Clone(o.Prompts)
		for _, k := range dead {
			delete(o.Prompts, string(k))
		}
	}
	return Renderer{speaker: newSpeaker(o, media), links: links, music: music}
}
