package app

import (
	"time"

	"github.com/livecallrouting/livecall/plugin/internal/callflow"
	"github.com/livecallrouting/livecall/plugin/internal/prompts"
	"github.com/livecallrouting/livecall/plugin/internal/twiml"
)

// renderer turns replies into documents.
type renderer struct {
	speaker
	links
	music []string // addresses of the hold music's slices
}

// holdGap is the silence after a slice of music before the next is asked for: the least that Gather takes.
const holdGap = 1

func (r renderer) render(reply callflow.Reply) twiml.Document {
	switch v := reply.(type) {
	case callflow.RejectReply:
		return twiml.New(twiml.Reject{})
	case callflow.HangupReply:
		return twiml.New(append(r.say(v.Say), twiml.Hangup{})...)
	case callflow.MenuReply:
		return r.menu(v)
	case callflow.EnqueueReply:
		return twiml.New(append(r.say(v.Say), twiml.Enqueue{
			Action: r.at(callflow.EventLeft, v.Step), WaitURL: r.hold(callflow.EventTick, v.Step, 0), Name: r.queue(),
		})...)
	case callflow.HoldReply:
		return r.wait(v)
	case callflow.LeaveQueueReply:
		return twiml.New(twiml.Leave{})
	case callflow.RecordReply:
		return r.record(v)
	case callflow.AskReply:
		return r.ask(v)
	case callflow.DialQueueReply:
		return twiml.New(append(r.say(v.Say), twiml.Dial{
			Action: r.leg(callflow.EventLegEnded, v.Leg, v.Step), Timeout: max(5, whole(v.Timeout)),
			Queue: twiml.Queue{Name: r.queue(), URL: r.at(callflow.EventAnnounce, v.Step)},
		})...)
	case callflow.AnnounceReply:
		return twiml.New(r.say(v.Say)...)
	case callflow.RefusedReply:
		return twiml.New(append(speaker{language: prompts.DefaultLanguage}.prompt(callflow.Prompt{Key: callflow.PromptRefused}), twiml.Hangup{})...)
	case callflow.EmptyReply:
		return twiml.New()
	}
	return twiml.New()
}

func whole(d time.Duration) int { return int(d / time.Second) }

// menu gathers keys while the prompts play. With one digit every key is reported at once, pound and star among them, as
// neither is a choice; with two, pound ends a single digit. Silence is reported too.
func (r renderer) menu(v callflow.MenuReply) twiml.Document {
	action := r.at(callflow.EventMenuKeys, v.Step)
	finish := twiml.Key("")
	if v.Digits > 1 {
		finish = twiml.Key("#")
	}
	return twiml.New(
		twiml.Gather{
			Action: action, Timeout: max(1, whole(v.Timeout)), NumDigits: v.Digits, FinishOnKey: finish, ActionOnEmptyResult: true,
			Nested: append(r.say(v.Intro), r.say(v.Items)...),
		},
		twiml.Redirect{URL: action}, // should Twilio fall through all the same
	)
}

// wait is the hold document. It ends by asking for the next one, whose URL carries the tick, so that the music goes on
// where it was without anything being stored.
func (r renderer) wait(v callflow.HoldReply) twiml.Document {
	verbs := append(r.say(v.Say), twiml.Play{URL: r.music[v.Slice%len(r.music)]})
	next := twiml.Redirect{URL: r.hold(callflow.EventTick, v.Step, v.NextTick)}
	if !v.Star {
		return twiml.New(append(verbs, next)...)
	}
	return twiml.New(
		twiml.Gather{Action: r.hold(callflow.EventHoldKey, v.Step, v.NextTick), Timeout: holdGap, NumDigits: 1, FinishOnKey: twiml.Key(""), Nested: verbs},
		next,
	)
}

func (r renderer) record(v callflow.RecordReply) twiml.Document {
	rec := twiml.Record{
		Action: r.at(callflow.EventRecorded, v.Step), MaxLength: max(2, whole(v.MaxLength)), Timeout: whole(v.Silence), FinishOnKey: v.FinishOnKey,
		StatusCallback: r.at(callflow.EventRecording, v.Step), StatusEvents: []string{"completed", "absent"},
	}
	if v.Transcribe {
		rec.Transcribe, rec.TranscribeCallback = true, r.at(callflow.EventTranscription, v.Step)
	}
	return twiml.New(append(r.say(v.Say), rec, twiml.Hangup{})...)
}

// ask puts a question to a responder. Every key is reported, and so is silence.
func (r renderer) ask(v callflow.AskReply) twiml.Document {
	action := r.leg(callflow.EventLegKey, v.Leg, v.Step)
	return twiml.New(
		twiml.Gather{
			Action: action, Timeout: max(1, whole(v.Timeout)), NumDigits: 1, FinishOnKey: twiml.Key(""), ActionOnEmptyResult: true,
			Nested: r.say(v.Say),
		},
		twiml.Redirect{URL: action},
	)
}

// newRenderer makes the renderer of one call. media holds the public address of each uploaded file.
func newRenderer(s settings, media map[string]string, l links) renderer {
	return renderer{speaker: newSpeaker(s.Options, media), links: l, music: s.music}
}
