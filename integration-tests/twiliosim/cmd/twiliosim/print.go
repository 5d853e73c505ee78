package main

import (
	"fmt"

	"github.com/livecallrouting/livecall/integration-tests/twiliosim"
)

// line writes an event for people: time, whose end of the line, what happened there. "": not for
// people, unless all.
func line(e twiliosim.Event, all bool) string {
	words := ""
	switch e.Kind {
	case twiliosim.EventSaid:
		words = "hears    " + e.Text
	case twiliosim.EventHeard:
		words = "hears    " + e.Peer + ": " + e.Text
	case twiliosim.EventPlayed:
		words = "hears    sound " + e.URL
	case twiliosim.EventTone:
		words = "hears    tone " + e.Text
	case twiliosim.EventBeep:
		words = "hears    a beep"
	case twiliosim.EventPressed:
		words = "presses  " + e.Text
		if e.Note != "" {
			words += " (" + e.Note + ")"
		}
	case twiliosim.EventSpoke:
		words = "says     " + e.Text
	case twiliosim.EventStatus:
		words = "is       " + e.Text
	case twiliosim.EventBridged:
		words = "talks to " + e.Peer
	case twiliosim.EventUnbridged:
		words = "no longer talks to " + e.Peer
	case twiliosim.EventQueued:
		words = "waits in queue " + e.Text
	case twiliosim.EventDequeued:
		words = "leaves queue " + e.Text + ": " + e.Note
	case twiliosim.EventRecording:
		words = "recording is " + e.Text
	case twiliosim.EventProblem:
		words = fmt.Sprintf("problem  %d %s %s", e.Code, e.Text, e.URL)
	case twiliosim.EventScript:
		if e.Note == "failed" {
			words = "script   " + e.Text
		}
	case twiliosim.EventWebhook, twiliosim.EventCallback, twiliosim.EventMedia, twiliosim.EventREST:
		if all {
			words = fmt.Sprintf("%-8s %s %s -> %d", e.Kind, e.Method, e.URL, e.Status)
		}
	}
	if words == "" {
		return ""
	}
	leg := e.Leg
	if leg == "" {
		leg = "-"
	}
	return fmt.Sprintf("%s  %-13s %s", e.At.UTC().Format("15:04:05.0"), leg, words)
}
