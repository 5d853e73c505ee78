package endpoint

import (
	"regexp"
	"strings"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/plugin/internal/callflow"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/event"
	"github.com/livecallrouting/livecall/plugin/internal/twilio"
)

// Route is what a path below the endpoint means.
type Route struct {
	Kind event.Kind
	Call string // caller's CallSid, of paths below /c/
	Leg  string // id of a responder's leg
}

var legID = regexp.MustCompile(`^[1-9][0-9]{0,5}$`)

// routes maps every path of the call flow's table of events, placeholders included, to its event.
var routes = func() map[string]event.Kind {
	m := map[string]event.Kind{}
	for _, kind := range callflow.Kinds() {
		for _, path := range callflow.Paths(kind) {
			m[path] = kind
		}
	}
	return m
}()

// Placeholders of paths in the call flow's table of events.
const (
	callPlaceholder = "{call}"
	legPlaceholder  = "{leg}"
)

// ParseRoute reads a path; false if it is none of ours.
func ParseRoute(path string) (Route, bool) {
	var r Route
	pattern := path
	if rest, below := strings.CutPrefix(path, SessionPrefix); below {
		call, sub, _ := strings.Cut(rest, "/")
		if !twilio.IsSID(twilio.SIDCall, call) {
			return Route{}, false
		}
		r.Call = call
		if id, ofLeg := strings.CutPrefix(sub, "leg/"); ofLeg {
			id, what, more := strings.Cut(id, "/")
			if !legID.MatchString(id) {
				return Route{}, false
			}
			r.Leg, sub = id, "leg/"+legPlaceholder
			if more {
				sub += "/" + what
			}
		}
		pattern = SessionPrefix + callPlaceholder + "/" + sub
	}
	kind, ok := routes[pattern]
	r.Kind = kind
	return r, ok
}

// IgnoredAnswerPaths are the paths of all requests whose answer Twilio ignores, with "*" for each
// placeholder.
func IgnoredAnswerPaths() []string {
	var paths []string
	for _, kind := range callflow.Kinds() {
		if callflow.AnswerIgnored(kind) {
			for _, path := range callflow.Paths(kind) {
				paths = append(paths, strings.NewReplacer(callPlaceholder, "*", legPlaceholder, "*").Replace(path))
			}
		}
	}
	return paths
}

// ringPath ends the path of a test ring's document, behind the key of its session.
const ringPath = "/test"

var ringKey = regexp.MustCompile(`^` + integration.RingSessionPrefix + `[0-9A-Za-z]{16,64}$`)

// IsRing reports whether a session key is that of a test ring.
func IsRing(key string) bool { return ringKey.MatchString(key) }

// ParseRing reads the path of a test ring's document; false if it is none.
func ParseRing(path string) (key string, ok bool) {
	rest, below := strings.CutPrefix(path, SessionPrefix)
	key, ends := strings.CutSuffix(rest, ringPath)
	return key, below && ends && IsRing(key)
}

// OfLeg reports whether requests of this kind come from a responder's leg, whose CallSid is its
// own.
func (r Route) OfLeg() bool { return r.Leg != "" || r.Kind == event.LegJoins }
