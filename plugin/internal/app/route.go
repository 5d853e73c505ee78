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

// routes maps every path of the call flow's table of events, placeholders included, to its event.
var routes = func() map[string]callflow.EventKind {
	m := map[string]callflow.EventKind{}
	for _, kind := range callflow.Kinds() {
		for _, path := range kind.Paths() {
			m[path] = kind
		}
	}
	return m
}()

// Placeholders of paths in the table of events.
const (
	callPlaceholder = "{call}"
	legPlaceholder  = "{leg}"
)

// parseRoute reads a path; false if it is none of ours.
func parseRoute(path string) (route, bool) {
	var r route
	pattern := path
	if rest, below := strings.CutPrefix(path, sessionPrefix); below {
		call, sub, _ := strings.Cut(rest, "/")
		if !twilio.IsSID(twilio.SIDCall, call) {
			return route{}, false
		}
		r.call = call
		if id, ofLeg := strings.CutPrefix(sub, "leg/"); ofLeg {
			id, what, more := strings.Cut(id, "/")
			if !legID.MatchString(id) {
				return route{}, false
			}
			r.leg, sub = id, "leg/"+legPlaceholder
			if more {
				sub += "/" + what
			}
		}
		pattern = sessionPrefix + callPlaceholder + "/" + sub
	}
	kind, ok := routes[pattern]
	r.kind = kind
	return r, ok
}

// ignoredAnswerPaths are the paths of all requests whose answer Twilio ignores, with "*" for each placeholder.
func ignoredAnswerPaths() []string {
	var paths []string
	for _, kind := range callflow.Kinds() {
		if kind.AnswerIgnored() {
			for _, path := range kind.Paths() {
				paths = append(paths, strings.NewReplacer(callPlaceholder, "*", legPlaceholder, "*").Replace(path))
			}
		}
	}
	return paths
}

// ofLeg reports whether requests of this kind come from a responder's leg, whose CallSid is its own.
func (r route) ofLeg() bool { return r.leg != "" }
