package app

import (
	"regexp"
	"strings"

	"github.com/livecallrouting/livecall/plugin/internal/callflow"
	"github.com/livecallrouting/livecall/plugin/internal/twilio"
)

// route is what a path below the endpoint means.
type route struct {
	kind callflow.EventKind
	call string // caller's CallSid, of paths below /c/
	leg  string // id of a responder's leg
}

var legID = regexp.MustCompile(`^[1-9][0-9]{0,5}$`)

// paths of the endpoint itself. "/resume" is where Twilio turns when the number's own URL fails: a call that is known
// goes on, another arrives.
var plainPaths = map[string]callflow.EventKind{
	"/":       callflow.EventArrival,
	"":        callflow.EventArrival,
	"/resume": callflow.EventArrival,
	"/status": callflow.EventCallStatus,
}

var callPaths = map[string]callflow.EventKind{
	"resume":        callflow.EventResume,
	"menu":          callflow.EventMenuKeys,
	"hold":          callflow.EventTick,
	"hold/key":      callflow.EventHoldKey,
	"left":          callflow.EventLeft,
	"voicemail":     callflow.EventVoicemail,
	"recorded":      callflow.EventRecorded,
	"recording":     callflow.EventRecording,
	"transcription": callflow.EventTranscription,
	"announce":      callflow.EventAnnounce,
}

var legPaths = map[string]callflow.EventKind{
	"":       callflow.EventLegAnswer,
	"key":    callflow.EventLegKey,
	"ended":  callflow.EventLegEnded,
	"status": callflow.EventLegStatus,
}

// parseRoute reads a path; false if it is none of ours.
func parseRoute(path string) (route, bool) {
	if kind, ok := plainPaths[path]; ok {
		return route{kind: kind}, true
	}
	rest, ok := strings.CutPrefix(path, sessionPrefix)
	if !ok {
		return route{}, false
	}
	call, sub, _ := strings.Cut(rest, "/")
	if !twilio.IsSID(twilio.SIDCall, call) {
		return route{}, false
	}
	if kind, ok := callPaths[sub]; ok {
		return route{kind: kind, call: call}, true
	}
	sub, ok = strings.CutPrefix(sub, "leg/")
	if !ok {
		return route{}, false
	}
	id, what, _ := strings.Cut(sub, "/")
	kind, ok := legPaths[what]
	if !ok || !legID.MatchString(id) || strings.HasSuffix(path, "/") {
		return route{}, false
	}
	return route{kind: kind, call: call, leg: id}, true
}

// ofLeg reports whether requests of this kind come from a responder's leg, whose CallSid is its own.
func (r route) ofLeg() bool { return r.leg != "" }
