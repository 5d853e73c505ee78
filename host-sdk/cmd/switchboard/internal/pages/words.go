package pages

import (
	"fmt"
	"html/template"
	"math"
	"strings"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
)

// badge is a state in words, with a tone for its colour: bad, warn, ok, info, quiet.
type badge struct{ Tone, Text string }

var alertBadges = map[integration.AlertStatus]badge{
	integration.AlertQueued:       {"info", "Queued"},
	integration.AlertOpen:         {"bad", "Open"},
	integration.AlertAcknowledged: {"ok", "Acknowledged"},
	integration.AlertResolved:     {"quiet", "Resolved"},
	integration.AlertDropped:      {"warn", "Dropped"},
	integration.AlertDeleted:      {"quiet", "Deleted"},
}

func alertBadge(s integration.AlertStatus) badge {
	if b, ok := alertBadges[s]; ok {
		return b
	}
	return badge{"info", plainWord(string(s))}
}

// The words that flows use for calls and legs. Others are shown as they are.
var callBadges = map[string]badge{
	"arrived": {"info", "Arriving"}, "choosing": {"info", "Choosing a team"}, "holding": {"warn", "On hold"},
	"connecting": {"info", "Connecting"}, "talking": {"ok", "Talking"}, "leaving_message": {"info", "Leaving a message"},
	"awaiting_recording": {"info", "Fetching the message"},
}

var endBadges = map[string]badge{
	"connected": {"ok", "Connected"}, "message_left": {"info", "Left a message"}, "no_message": {"quiet", "Left no message"},
	"told_goodbye": {"warn", "Not connected"}, "hung_up": {"warn", "Hung up"}, "rejected": {"quiet", "Rejected"},
}

func callBadge(c integration.CallView) badge {
	if c.Ended != "" {
		if b, ok := endBadges[c.Ended]; ok {
			return b
		}
		return badge{"quiet", plainWord(c.Ended)}
	}
	if b, ok := callBadges[c.State]; ok {
		return b
	}
	return badge{"info", plainWord(c.State)}
}

var legBadges = map[string]badge{
	"planned": {"quiet", "Calling soon"}, "ringing": {"warn", "Ringing"}, "asked": {"info", "Answered, confirming"},
	"taking": {"info", "Connecting"}, "talking": {"ok", "Talking"}, "declined": {"quiet", "Declined"},
	"unreached": {"warn", "Not reached"}, "ended": {"quiet", "Ended"},
}

var reasons = map[string]string{
	"no_answer": "no answer", "busy": "busy", "failed": "the call failed", "bad_number": "the number cannot be dialed",
	"no_key": "answered, pressed no key", "hung_up": "hung up", "passed": "", "taken": "somebody else took the call",
	"caller": "the caller hung up first", "lost": "lost before it was connected", "occupied": "was on another call", "talked": "talked",
}

func legBadge(l integration.LegView) badge {
	if l.Role == "caller" {
		if !l.EndedAt.IsZero() {
			return badge{"quiet", "Ended"}
		}
		return callBadge(integration.CallView{State: l.State})
	}
	b, ok := legBadges[l.State]
	if !ok {
		b = badge{"info", plainWord(l.State)}
	}
	reason, ok := reasons[l.Reason]
	if !ok {
		reason = strings.ToLower(plainWord(l.Reason))
	}
	if reason != "" {
		b.Text += ": " + reason
	}
	return b
}

// plainWord makes a flow's word readable: leaving_message → Leaving message.
func plainWord(w string) string {
	if w == "" {
		return ""
	}
	w = strings.ReplaceAll(w, "_", " ")
	return strings.ToUpper(w[:1]) + w[1:]
}

// words are what templates say things with.
func (p *Pages) words() template.FuncMap {
	return template.FuncMap{
		"at":         func(t time.Time) template.HTML { return timeElement(t, "at", t.UTC().Format("2 Jan 15:04:05 MST")) },
		"age":        func(t time.Time) template.HTML { return timeElement(t, "age", age(p.cfg.Clock.Now().Sub(t))) },
		"local":      func(t time.Time) template.HTML { return timeElement(t, "local", t.UTC().Format("Mon 2 Jan 15:04 MST")) },
		"lasted":     func(from, to time.Time) string { return length(to.Sub(from)) },
		"length":     length,
		"alertBadge": alertBadge,
		"callBadge":  callBadge,
		"legBadge":   legBadge,
		"phone":      spacedPhone,
		"web":        webAddress,
		"join":       func(list []string) string { return strings.Join(list, ", ") },
		"initials":   initials,
		"plural":     countOf,
	}
}

// countOf is a number with its noun, such as 1 error or 3 errors.
func countOf(n int, one, many string) string {
	if n == 1 {
		return fmt.Sprintf("%d %s", n, one)
	}
	return fmt.Sprintf("%d %s", n, many)
}

// timeElement is a moment that the script writes anew in the viewer's own time.
func timeElement(t time.Time, kind, text string) template.HTML {
	if t.IsZero() {
		return ""
	}
	iso := t.UTC().Format("2006-01-02T15:04:05Z")
	title := ""
	if kind == "age" {
		title = ` title="` + t.UTC().Format("2 Jan 2006 15:04:05 MST") + `"`
	}
	// #nosec G203 -- digits and names of days and months alone
	return template.HTML(`<time datetime="` + iso + `" data-time="` + kind + `"` + title + `>` + template.HTMLEscapeString(text) + `</time>`)
}

// age says how long ago something was; a little of the future, from clocks that differ, is now.
func age(d time.Duration) string {
	switch {
	case d < 10*time.Second:
		return "just now"
	case d < time.Minute:
		return fmt.Sprintf("%d s ago", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%d min ago", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h ago", int(d.Hours()))
	}
	return fmt.Sprintf("%d days ago", int(d.Hours()/24))
}

// length writes a duration the way one says it.
func length(d time.Duration) string {
	s := int(math.Round(d.Seconds()))
	two := func(n int, unit string, rest int, small string) string {
		if rest == 0 {
			return fmt.Sprintf("%d %s", n, unit)
		}
		return fmt.Sprintf("%d %s %d %s", n, unit, rest, small)
	}
	switch {
	case s < 60:
		return fmt.Sprintf("%d s", max(s, 0))
	case s < 3600:
		return two(s/60, "min", s%60, "s")
	case s < 48*3600:
		return two(s/3600, "h", s%3600/60, "min")
	}
	return fmt.Sprintf("%d days", s/86400)
}

// spacedPhone makes numbers of North America readable; others stay as they are, as their groups differ by country.
func spacedPhone(number string) string {
	if number == "" {
		return "withheld"
	}
	if len(number) == 12 && strings.HasPrefix(number, "+1") {
		return "+1 " + number[2:5] + " " + number[5:8] + " " + number[8:]
	}
	return number
}

// webAddress is an address that may be a link; "" for anything but http and https.
func webAddress(text string) string {
	if strings.HasPrefix(text, "https://") || strings.HasPrefix(text, "http://") {
		return text
	}
	return ""
}

func initials(name string) string {
	var out []rune
	for _, word := range strings.Fields(name) {
		out = append(out, []rune(strings.ToUpper(word))[0])
		if len(out) == 2 {
			break
		}
	}
	return string(out)
}
