package campaign

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// draw returns the generator of one decision maker: the same names give the same decisions, however
// the machine schedules the others.
func draw(seed uint64, names ...any) *rand.Rand {
	h := fnv.New64a()
	_, _ = fmt.Fprint(h, names...)
	return rand.New(rand.NewPCG(seed, h.Sum64()))
}

// between draws a time from low to high.
func between(r *rand.Rand, low, high time.Duration) time.Duration {
	return low + time.Duration(r.Int64N(int64(high-low)+1))
}

// chance is true in percent of a hundred cases.
func chance(r *rand.Rand, percent int) bool { return r.IntN(100) < percent }

// hotline is one integration with its number, teams and people, apart from all others.
type hotline struct {
	Name    string
	Area    string // area code of all its numbers
	Teams   []team
	Options map[string]any
	ID      string // of the integration
}

// team has one person a layer or more; every layer has the same time-out.
type team struct {
	ID     string
	Layers [][]string // user ids
	Layer  time.Duration
	Repeat int
}

// mailAddress is the recipient of the messages of a hotline.
func (h *hotline) mailAddress() string { return "voicemail@" + h.Area + ".example.com" }

func (h *hotline) number() string { return h.phone(100) }

// phone is a number of the hotline's area. 555-01xx is for fiction (North American Numbering Plan).
func (h *hotline) phone(n int) string { return fmt.Sprintf("+1%s555%04d", h.Area, n) }

// phoneOf is the number of a person, such as p3.202.
func (h *hotline) phoneOf(user string) string {
	var n int
	_, _ = fmt.Sscanf(user, "p%d.", &n)
	return h.phone(110 + n)
}

func (h *hotline) user(n int) string { return fmt.Sprintf("p%d.%s", n, h.Area) }

// people are all user ids of the hotline, sorted.
func (h *hotline) people() []string {
	var all []string
	for _, t := range h.Teams {
		for _, l := range t.Layers {
			all = append(all, l...)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// flag is a boolean option.
func (h *hotline) flag(name string) bool {
	on, _ := h.Options[name].(bool)
	return on
}

// maxWait is how long callers may be kept on hold.
func (h *hotline) maxWait() time.Duration {
	s, _ := h.Options["max_wait_time"].(int)
	return time.Duration(s) * time.Second
}

// hotlines are those of every run: their options cover what the call flow distinguishes.
func hotlines() []*hotline {
	patient, short := 10*time.Minute, time.Minute
	teams := func(area string, layer time.Duration, names ...string) (out []team) {
		for i, name := range names {
			first := 3 * i
			out = append(out, team{
				ID: name + "." + area, Layer: layer,
				Layers: [][]string{
					{fmt.Sprintf("p%d.%s", first+1, area), fmt.Sprintf("p%d.%s", first+2, area)},
					{fmt.Sprintf("p%d.%s", first+3, area)},
				},
			})
		}
		return out
	}
	all := []*hotline{
		{Name: "Ring", Area: "202", Teams: teams("202", patient, "apples", "pears"), Options: map[string]any{
			"reach": "ring", "voicemail": true, "max_wait_time": 150, "ring_timeout": 100}},
		{Name: "Acknowledge", Area: "203", Teams: teams("203", patient, "apples", "pears"), Options: map[string]any{
			"reach": "acknowledge", "voicemail": true, "max_wait_time": 180, "ring_timeout": 60}},
		{Name: "Both", Area: "205", Teams: teams("205", patient, "apples", "pears"), Options: map[string]any{
			"reach": "both", "voicemail": false, "max_wait_time": 120, "ring_timeout": 100, "resolve_on_completed": true}},
		{Name: "Transcribed", Area: "206", Teams: teams("206", patient, "apples", "pears"), Options: map[string]any{
			"reach": "auto", "voicemail": true, "max_wait_time": 120, "ring_timeout": 100, "skip_resolve_on_hangup": true,
			"transcribe": true, "delete_recording_at_twilio": true}},
		{Name: "One round", Area: "207", Teams: teams("207", short, "apples"), Options: map[string]any{
			"reach": "ring", "voicemail": true, "max_wait_time": 240, "ring_timeout": 25, "give_up": "one_round", "deliver_messages": "on"}},
		{Name: "Straight", Area: "208", Teams: teams("208", short, "apples", "pears"), Options: map[string]any{
			"reach": "acknowledge", "voicemail": false, "max_wait_time": 120, "ring_timeout": 25, "confirm_answer": false}},
		{Name: "Delivered", Area: "209", Teams: teams("209", 2*time.Minute, "apples", "pears"), Options: map[string]any{
			"reach": "both", "voicemail": true, "max_wait_time": 60, "ring_timeout": 25, "deliver_messages": "on"}},
	}
	for _, h := range all {
		if h.flag("voicemail") {
			h.Options["voicemail_emails"] = []string{h.mailAddress()}
			if !h.delivers() {
				// Of these the plan says when which phone rings, and for whom.
				h.Options["deliver_messages"] = "off"
			}
		}
		h.Options["banned_phones"] = []string{h.banned()}
	}
	return all
}

// banned is the number of a caller whom the hotline rejects.
func (h *hotline) banned() string { return h.phone(199) }

// yaml writes the switchboard file of these hotlines.
func yaml(all []*hotline) string {
	var users, teams strings.Builder
	for _, h := range all {
		for _, p := range h.people() {
			fmt.Fprintf(&users, "  - {id: %s, name: Person %s, email: %s@example.com, phones: [%q]}\n", p, strings.ToUpper(p), p, h.phoneOf(p))
		}
		for _, t := range h.Teams {
			var members, layers, times []string
			for _, l := range t.Layers {
				members = append(members, l...)
				layers = append(layers, "        - users: ["+strings.Join(l, ", ")+"]\n")
				times = append(times, fmt.Sprintf("{timeout: %ds}", int(t.Layer.Seconds())))
			}
			fmt.Fprintf(&teams, "  - id: %s\n    name: Team %s\n    admins: [%s]\n    members: [%s]\n    schedule:\n      timezone: Europe/Berlin\n      layers:\n%s    escalation: {layers: [%s], repeat: %d}\n",
				t.ID, strings.ToUpper(t.ID), members[0], strings.Join(members, ", "), strings.Join(layers, ""), strings.Join(times, ", "), t.Repeat)
		}
	}
	return "users:\n" + users.String() + "teams:\n" + teams.String()
}

// What a caller does once they are in the call.
const (
	staysOn   = "stays"      // waits for whatever comes
	pressStar = "star"       // presses the star while waiting
	menuOnly  = "no choice"  // chooses nothing
	wrongKeys = "wrong keys" // presses keys that are no choice
)

// callerPlan is what one caller does. Times are of the simulator's clock.
type callerPlan struct {
	N       int
	Hotline *hotline
	From    string        // a number, or "anonymous"
	At      time.Duration // after the wave began
	Kind    string
	Key     string        // the menu's choice
	Think   time.Duration // before a key is pressed
	Wait    time.Duration // before the star
	HangUp  time.Duration // after dialing; 0: never of their own accord
	Talk    time.Duration // before they hang up a conversation; 0: the other side does
	Message time.Duration // length of a message; 0: says nothing
	Pound   bool          // ends the message by a key, else by hanging up or being silent
	Goes    bool          // hangs up after the message
	Desk    []deskPlan
}

// deskPlan is what somebody does with the caller's alert.
type deskPlan struct {
	After  time.Duration // after dialing
	Action string        // acknowledge, reject, escalate, resolve
	Person int           // index into the team's people
}

// planCaller decides about the n-th caller of a campaign.
func planCaller(seed uint64, n int, all []*hotline, span time.Duration) callerPlan {
	r := draw(seed, "caller", n)
	h := all[r.IntN(len(all))]
	p := callerPlan{N: n, Hotline: h, From: h.phone(150 + r.IntN(48)), At: between(r, 0, span), Kind: staysOn,
		Think: between(r, 200*time.Millisecond, 6*time.Second), Talk: between(r, time.Second, 90*time.Second),
		Message: between(r, 2*time.Second, 20*time.Second), Pound: chance(r, 50), Goes: chance(r, 50)}
	p.Key = fmt.Sprint(1 + r.IntN(len(h.Teams)))
	switch {
	case chance(r, 5):
		p.From = "anonymous"
	case chance(r, 3):
		p.From = h.banned()
	}
	if chance(r, 20) { // many at once
		p.At = p.At.Truncate(30 * time.Second)
	}
	switch {
	case chance(r, 15):
		p.Kind, p.Wait = pressStar, between(r, time.Second, time.Minute)
	case chance(r, 4):
		p.Kind = menuOnly
	case chance(r, 4):
		p.Kind = wrongKeys
	}
	if chance(r, 35) {
		p.HangUp = between(r, 50*time.Millisecond, 4*time.Minute)
	}
	if chance(r, 50) {
		p.Talk = 0
	}
	if chance(r, 10) {
		p.Message = 0
	}
	p.Desk = planDesk(r, h)
	return p
}

// planDesk decides what people do with an alert: most acknowledge it where phones wait for that.
func planDesk(r *rand.Rand, h *hotline) []deskPlan {
	percent := 25
	if h.Options["reach"] == "acknowledge" {
		percent = 85
	}
	var out []deskPlan
	for chance(r, percent) && len(out) < 4 {
		action := "acknowledge"
		switch {
		case len(out) == 0:
		case chance(r, 20):
			action = "escalate"
		case chance(r, 30):
			action = "reject"
		case chance(r, 10):
			action = "resolve"
		}
		out = append(out, deskPlan{After: between(r, 5*time.Second, 2*time.Minute), Action: action, Person: r.IntN(3)})
		percent = percent * 2 / 3
	}
	slices.SortFunc(out, func(a, b deskPlan) int { return int(a.After - b.After) })
	return out
}

// What the people at a telephone do when it rings.
const (
	takes   = "takes the call"
	passes  = "presses 2"
	wrong   = "presses wrong keys"
	mailbox = "mailbox"
	busy    = "is busy"
	ignores = "does not answer"
	leaves  = "answers and hangs up"
)

// ringPlan is what happens at one telephone when it rings for the n-th time.
type ringPlan struct {
	Kind  string
	After time.Duration // before it is answered
	Think time.Duration // before a key is pressed, or before hanging up
	Talk  time.Duration // before they hang up a conversation
	Then  string        // what they do after a message, see planRing
	Cut   time.Duration // hang up so long after a message begins; 0: do not
}

// What people do once they have heard a message.
const (
	takesCare = "presses 2"
	repeats   = "presses 1, then 2"
	stays     = "presses nothing"
	hangsUp   = "hangs up"
)

func planRing(seed uint64, number string, n int) ringPlan {
	r := draw(seed, "ring", number, n)
	p := ringPlan{After: between(r, 0, 12*time.Second), Think: between(r, 100*time.Millisecond, 5*time.Second), Talk: between(r, 500*time.Millisecond, 2*time.Minute)}
	switch x := r.IntN(100); {
	case x < 38:
		p.Kind = takes
	case x < 48:
		p.Kind = passes
	case x < 53:
		p.Kind = wrong
	case x < 60:
		p.Kind = mailbox
	case x < 68:
		p.Kind = busy
	case x < 92:
		p.Kind = ignores
	default:
		p.Kind, p.Think = leaves, between(r, 100*time.Millisecond, 15*time.Second)
	}
	p.Then = []string{takesCare, takesCare, repeats, stays, hangsUp}[r.IntN(5)]
	if chance(r, 15) {
		p.Cut = between(r, 100*time.Millisecond, 10*time.Second)
	}
	return p
}
