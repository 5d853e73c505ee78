package app

import (
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/call"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/reply"
	"github.com/livecallrouting/livecall/plugin/internal/prompts"
	"github.com/livecallrouting/livecall/plugin/internal/twiml"
)

// state is the call as the plugin left it.
func (h *host) state() call.State {
	h.t.Helper()
	s, err := newStates().read(h.session)
	if err != nil {
		h.t.Fatal(err)
	}
	return s
}

func teams(names ...string) []integration.Destination {
	var out []integration.Destination
	for i, n := range names {
		out = append(out, integration.Destination{Kind: integration.DestinationTeam, ID: fmt.Sprintf("t%02d", i+1), Name: n})
	}
	return out
}

func nTeams(n int) []integration.Destination {
	var names []string
	for i := range n {
		names = append(names, fmt.Sprintf("Team %03d", i+1))
	}
	return teams(names...)
}

// TestPT32to35DigitsAreReadStrictly: what is not exactly a number of the menu chooses nothing; the
// menu is read again.
func TestPT32to35DigitsAreReadStrictly(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		teams  int
		digits string
		chosen string // "" = none
	}{
		{3, "1", "t01"}, {3, "3", "t03"}, {3, "4", ""}, {3, "0", ""}, {3, "00", ""}, {3, "01", ""}, {3, "11", ""}, {3, "#", ""}, {3, "*", ""}, {3, "1#", ""},
		{3, "1*", ""}, {3, "", ""}, {3, "+1", ""}, {3, "-1", ""}, {3, "1.0", ""}, {3, "1e0", ""}, {3, "0x1", ""}, {3, " 1", ""}, {3, "1 ", ""}, {3, "one", ""},
		// Control characters are no keys.
		{3, "１", ""}, {3, "١", ""}, {3, "99999999999999999999", ""}, {3, "\x00", ""}, {3, "A", ""}, {3, "hangup", ""}, {3, "1\n", "t01"},
		{12, "1", "t01"}, {12, "9", "t09"}, {12, "10", "t10"}, {12, "12", "t12"}, {12, "13", ""}, {12, "01", ""}, {12, "0", ""}, {12, "1#", ""}, {12, "121", ""},
		{120, "99", "t99"}, {120, "100", ""},
	} {
		t.Run(fmt.Sprintf("%q of %d", tt.digits, tt.teams), func(t *testing.T) {
			t.Parallel()
			h := newHost(t, nil)
			h.dests = nTeams(tt.teams)
			menu := find[twiml.Gather](t, h.post(endpointURL, "CallStatus", "ringing"))
			doc := h.post(menu.Action, "Digits", tt.digits)
			if tt.chosen == "" {
				again := find[twiml.Gather](t, doc)
				if again.Action == menu.Action || h.state().Team != nil {
					t.Errorf("chose %+v", h.state().Team)
				}
				return
			}
			find[twiml.Enqueue](t, doc)
			if team := h.state().Team; team == nil || team.ID != tt.chosen {
				t.Errorf("chose %+v, want %s", team, tt.chosen)
			}
		})
	}
}

// TestEveryCallerIsServed: whoever calls, and however that is written, is put on hold, and reaches
// somebody whose display shows a number that is ours.
func TestEveryCallerIsServed(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		from, number, address string
	}{
		"number":            {callerNum, callerNum, ""},
		"plus not escaped":  {" 12025550143", callerNum, ""},
		"SIP":               {"sip:alice@example.com", "", "sip:alice@example.com"},
		"SIP with port":     {"sip:alice@example.com:5061;transport=tls", "", "sip:alice@example.com:5061;transport=tls"},
		"secure SIP":        {"sips:alice@example.com", "", "sips:alice@example.com"},
		"SIP with a number": {"sip:+12025550143@example.com", "", "sip:+12025550143@example.com"},
		"client":            {"client:alice", "", "client:alice"},
		"anonymous":         {"anonymous", "", ""},
		"Anonymous":         {"Anonymous", "", ""},
		"restricted":        {"Restricted", "", ""},
		"keypad anonymous":  {"+266696687", "", ""},
		"keypad restricted": {"+7378742833", "", ""},
		"not at all":        {"", "", ""},
		"short code":        {"12345", "", "12345"},
		"without plus":      {"12025550143", "", "12025550143"},
		"too long":          {"+1202555014312345", "", "+1202555014312345"},
		"letters":           {"+1202555CALL", "", "+1202555CALL"},
		"markup":            {`"><script>alert(1)</script>`, "", `"><script>alert(1)</script>`},
		"control":           {"+1202\x005550143", callerNum, ""},
		"broken text":       {"\xff\xfe", "", ""},
		"very long":         {strings.Repeat("9", 5000), "", strings.Repeat("9", 128)},
		"very long SIP":     {"sip:" + strings.Repeat("a", 5000) + "@example.com", "", "sip:" + strings.Repeat("a", 124)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHost(t, map[string]any{"voicemail": true})
			doc := h.post(endpointURL, "CallStatus", "ringing", "From", tt.from)
			next := find[twiml.Enqueue](t, doc).WaitURL
			c := h.state().Caller
			if c.Number != tt.number || c.Address != tt.address {
				t.Errorf("caller %+v", c)
			}
			h.pass(time.Second)
			h.post(next, "QueueSid", queueSID, "From", tt.from)
			h.acknowledge("alice")
			h.pass(2 * time.Second)
			if from := h.twilio.form("POST /Calls.json").Get("From"); from != calledNum {
				t.Errorf("the responder sees %q", from)
			}
			ask := h.leg(h.legURL("Url"))
			says(t, ask, words(reply.PromptAsk, prompts.Args{Team: "DevOps", Number: readAloud(tt.number, tt.address), Called: calledNum}))
			for _, cmd := range h.cmds {
				if cmd.Draft == nil {
					continue
				}
				for _, f := range cmd.Draft.Fields {
					if !utf8.ValidString(f.Value) || f.Value == "" || strings.ContainsAny(f.Value, "\x00\n") {
						t.Errorf("field %+v", f)
					}
				}
			}
		})
	}
}

// TestPT39TeamNamesOfAnyKind are spoken as far as they can be, and never break a document.
func TestPT39TeamNamesOfAnyKind(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ team, says string }{
		"markup":      {`R&D <Ops> "x" 'y'`, `Press 1 for R&D <Ops> "x" 'y'.`},
		"XML by hand": {"</Say><Dial>+12025550199</Dial>", "Press 1 for </Say><Dial>+12025550199</Dial>."},
		"CDATA":       {"a]]>b<![CDATA[c", "Press 1 for a]]>b<![CDATA[c."},
		"entity":      {"&amp;&#0;&lol;", "Press 1 for &amp;&#0;&lol;."},
		"German":      {"Büro Köln", "Press 1 for Büro Köln."},
		"Japanese":    {"東京チーム", "Press 1 for 東京チーム."},
		"Arabic":      {"فريق الدعم", "Press 1 for فريق الدعم."},
		"emoji":       {"🚒 Fire 👩‍🚒", "Press 1 for 🚒 Fire 👩‍🚒."},
		"combining":   {"Zoe\u0308", "Press 1 for Zoe\u0308."},
		"lines":       {"A\r\nB\tC", "Press 1 for A B C."},
		"blanks":      {"  A   B  ", "Press 1 for A B."},
		"long":        {strings.Repeat("word ", 1000), "Press 1 for word word"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHost(t, nil)
			// Sorts behind everything.
			h.dests = append(teams(tt.team), integration.Destination{Kind: integration.DestinationTeam, ID: "zz", Name: "\U0010FFFD last"})
			doc := h.post(endpointURL, "CallStatus", "ringing")
			says(t, doc, tt.says)
			if n := len(doc.Verbs); n != 2 { // Gather and Redirect: nothing of a name became a verb
				t.Errorf("%d verbs: %s", n, doc.Bytes())
			}
			enqueue := find[twiml.Enqueue](t, h.post(find[twiml.Gather](t, doc).Action, "Digits", "1"))
			h.pass(time.Second)
			h.post(enqueue.WaitURL, "QueueSid", queueSID)
			h.acknowledge("alice")
			h.pass(2 * time.Second)
			h.leg(h.legURL("Url")) // asks "a call for TEAM"; send checks the document
			if h.state().Team.Name != tt.team {
				t.Errorf("team %q", h.state().Team.Name)
			}
		})
	}
	for _, broken := range []string{"\x00\x01\x02", "\xff\xfe", "\ufffe\uffff", " ", ""} {
		h := newHost(t, nil)
		h.dests = teams(broken, "Other")
		doc := h.post(endpointURL, "CallStatus", "ringing")
		if !strings.Contains(spoken(doc), "Press 2 for") || strings.ContainsAny(string(doc.Bytes()), "\x00\x01\x02\ufffe\uffff") {
			t.Errorf("%q: %s", broken, doc.Bytes())
		}
	}
}

// readAloud is what responders hear of a caller: the number, or the address where it is made of a
// number's digits.
func readAloud(number, address string) string {
	if number == "" && len(address) <= 20 && strings.Trim(address, "0123456789") == "" {
		return address
	}
	return number
}
