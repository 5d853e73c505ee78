package twiliosim

import (
	"fmt"
	"net/url"
	"regexp"
	"sort"
	"strconv"
	"strings"
)

// check says what is wrong with an attribute's value; "" is right.
type check func(value string) string

func oneOf(values ...string) check {
	return func(v string) string {
		for _, x := range values {
			if v == x {
				return ""
			}
		}
		return "want one of " + strings.Join(values, ", ")
	}
}

func integer(low, high int) check {
	return func(v string) string {
		n, err := strconv.Atoi(v)
		if err != nil || n < low || n > high {
			return fmt.Sprintf("want a whole number from %d to %d", low, high)
		}
		return ""
	}
}

func matches(pattern, want string) check {
	re := regexp.MustCompile(pattern)
	return func(v string) string {
		if re.MatchString(v) {
			return ""
		}
		return "want " + want
	}
}

func or(a, b check) check {
	return func(v string) string {
		if a(v) == "" {
			return ""
		}
		return b(v)
	}
}

func words(of check) check {
	return func(v string) string {
		for _, w := range strings.Fields(v) {
			if bad := of(w); bad != "" {
				return bad
			}
		}
		return ""
	}
}

func anyText(string) string { return "" }

func goodURL(v string) string {
	u, err := url.Parse(strings.TrimSpace(v))
	switch {
	case err != nil:
		return "want a URL"
	case u.IsAbs() && (u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == ""):
		return "want an http or https URL"
	case strings.Contains(u.Hostname(), "_"):
		return "underscore in the host name"
	}
	return ""
}

var (
	method   = oneOf("GET", "POST")
	boolean  = oneOf("true", "false")
	seconds  = integer(1, 1<<31)
	language = matches(`^[a-z]{2,3}(-[A-Za-z0-9]{2,4})*$`, "a language tag such as en-US")
	voice    = matches(`^(man|woman|alice|Polly\.[A-Za-z]+(-[A-Za-z]+)*|Google\.[A-Za-z]+(-[A-Za-z0-9]+)*)$`, "man, woman, alice, Polly.… or Google.…")
)

// attribute is one row of the table: the check, and the code and severity of a wrong value.
type attribute struct {
	check check
	code  int
	fatal bool
}

// verb is what the table knows of an element.
type verb struct {
	attrs map[string]attribute
	// children may stand inside; text: so may character data.
	children []string
	text     bool
	// simulated: this package can execute it. What is not is refused loudly, since a call could not go on as at Twilio.
	simulated bool
}

func row(c check, code int) attribute   { return attribute{check: c, code: code} }
func fatal(c check, code int) attribute { return attribute{check: c, code: code, fatal: true} }

var callbackEvents = words(oneOf("initiated", "ringing", "answered", "completed"))

// machineDetectionAttrs stand in Number and Sip.
func withDetection(m map[string]attribute) map[string]attribute {
	m["machineDetection"] = row(oneOf("Enable", "DetectMessageEnd"), 12200)
	m["machineDetectionTimeout"] = row(integer(3, 60), 12200)
	m["machineDetectionSpeechThreshold"] = row(integer(1000, 6000), 12200)
	m["machineDetectionSpeechEndThreshold"] = row(integer(500, 5000), 12200)
	m["machineDetectionSilenceTimeout"] = row(integer(2000, 10000), 12200)
	m["amdStatusCallback"] = row(goodURL, 11100)
	m["amdStatusCallbackMethod"] = row(method, 12200)
	m["statusCallback"] = row(goodURL, 11100)
	m["statusCallbackMethod"] = row(method, 12200)
	m["statusCallbackEvent"] = row(callbackEvents, 21626)
	m["url"] = fatal(goodURL, 11100)
	m["method"] = row(method, 13221)
	return m
}

var ssml = []string{"break", "emphasis", "lang", "p", "phoneme", "prosody", "s", "say-as", "sub", "w", "amazon:effect", "amazon:auto-breaths", "amazon:domain"}

// grammar is the closed table. Source: Twilio docs, voice/twiml/*, codes: api/errors.
var grammar = map[string]verb{
	"Response": {simulated: true, attrs: map[string]attribute{}, children: []string{
		"Say", "Play", "Pause", "Gather", "Record", "Dial", "Enqueue", "Leave", "Redirect", "Reject", "Hangup",
		"Connect", "Start", "Stop", "Refer", "Pay", "Prompt", "Sms", "Siprec", "Stream"}},
	"Say": {simulated: true, text: true, children: ssml, attrs: map[string]attribute{
		"voice": row(voice, 13511), "language": row(language, 13512), "loop": row(integer(0, 1<<31), 13510)}},
	"Play": {simulated: true, text: true, attrs: map[string]attribute{
		"loop": row(integer(0, 1<<31), 13410), "digits": row(matches(`^[0-9A-DwW#*]+$`, "keys 0-9 A-D # * w W"), 13430)}},
	"Pause": {simulated: true, attrs: map[string]attribute{"length": row(seconds, 13910)}},
	"Gather": {simulated: true, children: []string{"Say", "Play", "Pause"}, attrs: map[string]attribute{
		"input":  row(oneOf("dtmf", "speech", "dtmf speech", "speech dtmf"), 13326),
		"action": fatal(goodURL, 11100), "method": row(method, 13312),
		"timeout": row(or(seconds, oneOf("auto")), 13313), "numDigits": row(seconds, 13314),
		"finishOnKey":   row(matches(`^[0-9#*]?$`, "one of 0-9 # *, or nothing"), 13310),
		"speechTimeout": row(or(seconds, oneOf("auto")), 13327), "maxSpeechTime": row(seconds, 13328),
		"hints": row(anyText, 13330), "language": row(language, 13331), "profanityFilter": row(boolean, 13333),
		"speechModel": row(anyText, 13334), "enhanced": row(boolean, 12200), "bargeIn": row(boolean, 13332),
		"partialResultCallback": row(goodURL, 11100), "partialResultCallbackMethod": row(method, 13329),
		"actionOnEmptyResult": fatal(boolean, 13338), "debug": row(boolean, 12200)}},
	"Record": {simulated: true, attrs: map[string]attribute{
		"action": fatal(goodURL, 11100), "method": row(method, 13610), "timeout": row(integer(0, 1<<31), 13611),
		"finishOnKey": row(matches(`^[0-9#*]*$`, "keys of 0-9 # *"), 13613), "maxLength": row(integer(2, 86400), 13612),
		"playBeep": row(boolean, 13616), "trim": row(oneOf("trim-silence", "do-not-trim"), 13699),
		"recordingStatusCallback":       row(goodURL, 13256),
		"recordingStatusCallbackMethod": row(method, 12200),
		"recordingStatusCallbackEvent":  fatal(words(oneOf("in-progress", "completed", "absent")), 13621),
		"transcribe":                    row(boolean, 13614), "transcribeCallback": fatal(goodURL, 13257)}},
	"Dial": {simulated: true, text: true, children: []string{"Number", "Queue", "Client", "Sip", "Conference", "Application", "WhatsApp", "Sim"}, attrs: map[string]attribute{
		"action": fatal(goodURL, 11100), "method": row(method, 13210), "timeout": row(integer(1, 600), 13212),
		"timeLimit": row(seconds, 13216), "callerId": row(anyText, 13214), "answerOnBridge": row(boolean, 13219),
		"hangupOnStar": row(boolean, 13213), "ringTone": row(matches(`^[a-z]{2}(-[a-z]+)?$`, "a country code"), 13220),
		"sequential": row(boolean, 13218), "referUrl": row(goodURL, 11100), "referMethod": row(method, 12200),
		"callReason": row(matches(`^.{0,50}$`, "at most 50 characters"), 12200), "passports": row(anyText, 12200), "events": row(anyText, 12200),
		"record": row(oneOf("do-not-record", "record-from-answer", "record-from-ringing", "record-from-answer-dual",
			"record-from-ringing-dual", "true", "false"), 13217),
		"recordingStatusCallback": row(goodURL, 13256), "recordingStatusCallbackMethod": row(method, 12200),
		"recordingStatusCallbackEvent": fatal(words(oneOf("in-progress", "completed", "absent")), 13621),
		"recordingTrack":               row(oneOf("inbound", "outbound", "both"), 12200),
		"trim":                         row(oneOf("trim-silence", "do-not-trim"), 13239)}},
	"Number": {simulated: true, text: true, attrs: withDetection(map[string]attribute{
		"sendDigits": row(matches(`^[0-9*#wW]+$`, "keys 0-9 * # w"), 13222), "byoc": row(anyText, 12200)})},
	"Queue": {simulated: true, text: true, attrs: map[string]attribute{
		"url": fatal(goodURL, 14211), "method": fatal(method, 14210), "reservationSid": row(anyText, 14215), "postWorkActivitySid": row(anyText, 14218)}},
	"Enqueue": {simulated: true, text: true, children: []string{"Task"}, attrs: map[string]attribute{
		"action": fatal(goodURL, 14203), "method": fatal(method, 14201), "waitUrl": fatal(goodURL, 14202),
		"waitUrlMethod": fatal(method, 14206), "workflowSid": row(anyText, 14220)}},
	"Leave": {simulated: true, attrs: map[string]attribute{}},
	"Redirect": {simulated: true, text: true, attrs: map[string]attribute{
		"method": row(method, 13710)}},
	"Reject": {simulated: true, attrs: map[string]attribute{"reason": row(oneOf("rejected", "busy"), 13810)}},
	"Hangup": {simulated: true, attrs: map[string]attribute{}},

	// Known to Twilio, not executed here.
	"Client": {text: true}, "Sip": {text: true}, "Conference": {text: true}, "Application": {text: true}, "WhatsApp": {text: true}, "Sim": {text: true},
	"Connect": {}, "Start": {}, "Stop": {}, "Refer": {}, "Pay": {}, "Prompt": {}, "Sms": {}, "Siprec": {}, "Stream": {}, "Task": {},
}

// allowed verbs by where the document runs. Source: Twilio docs, voice/twiml/enqueue (waitUrl), voice/twiml/number (url),
// voice/twiml/queue (url). Redirect in a whisper works although its page does not list it.
var allowedVerbs = map[mode]string{
	modeWait:     " Play Say Pause Hangup Redirect Leave Gather ",
	modeWhisper:  " Play Say Pause Gather Hangup Redirect ",
	modeAnnounce: " Play Say Pause Redirect ",
}

// notActedUpon are attributes that Twilio has and this simulator does nothing about; a program that relies on one would
// only seem to work, so each use is a violation.
const notActedUpon = " partialResultCallback partialResultCallbackMethod referUrl referMethod reservationSid postWorkActivitySid workflowSid byoc passports events "

// finding is one complaint about a document.
type finding struct {
	problem
	node *node
}

// validate holds a document against the table. Unknown elements and attributes and wrong values with a default are
// warnings: they are removed from the tree, as Twilio skips them. What is fatal stays, and is reported again when its
// verb is reached.
func validate(root *node) []finding {
	var found []finding
	var visit func(n *node, v verb)
	visit = func(n *node, v verb) {
		names := make([]string, 0, len(n.attrs))
		for name := range n.attrs {
			names = append(names, name)
		}
		sort.Strings(names)
		for _, name := range names {
			if strings.HasPrefix(name, "xmlns") || strings.Contains(name, "schemaLocation") || strings.HasPrefix(name, "xml:") {
				continue
			}
			a, known := v.attrs[name]
			if !known {
				found = append(found, finding{problem{code: 12200, warning: true, text: fmt.Sprintf("<%s> has no attribute %q", n.name, name)}, n})
				delete(n.attrs, name)
				continue
			}
			if strings.Contains(notActedUpon, " "+name+" ") {
				found = append(found, finding{problem{warning: true, text: fmt.Sprintf("twiliosim does nothing about <%s %s>", n.name, name)}, n})
			}
			value := n.attrs[name]
			if bad := a.check(value); bad != "" {
				text := fmt.Sprintf("<%s %s=%q>: %s", n.name, name, value, bad)
				found = append(found, finding{problem{code: a.code, warning: !a.fatal, text: text}, n})
				if !a.fatal {
					delete(n.attrs, name)
				}
			}
		}
		if n.text != "" && !v.text {
			found = append(found, finding{problem{code: 12200, warning: true, text: fmt.Sprintf("<%s> holds text %.40q", n.name, n.text)}, n})
		}
		kept := n.children[:0]
		for _, c := range n.children {
			if !strings.Contains(" "+strings.Join(v.children, " ")+" ", " "+c.name+" ") {
				code := 12200
				switch n.name {
				case "Gather":
					code = 13320
				case "Dial":
					code = 13215
				}
				found = append(found, finding{problem{code: code, warning: true, text: fmt.Sprintf("<%s> inside <%s>", c.name, n.name)}, c})
				continue
			}
			kept = append(kept, c)
			if cv, ok := grammar[c.name]; ok && cv.simulated {
				visit(c, cv)
			}
		}
		n.children = kept
		switch n.name {
		case "Gather":
			for _, c := range n.children {
				if c.name == "Play" && c.attrs["digits"] != "" {
					found = append(found, finding{problem{code: 13320, warning: true, text: "<Play digits> inside <Gather>"}, c})
				}
			}
		case "Say":
			limit := 4096
			if strings.HasPrefix(n.attrs["voice"], "Polly.") || strings.HasPrefix(n.attrs["voice"], "Google.") {
				limit = 3000
			}
			text := n.allText()
			if text == "" {
				found = append(found, finding{problem{code: 13520, warning: true, text: "<Say> without words"}, n})
			}
			if len([]rune(text)) > limit {
				found = append(found, finding{problem{code: 13521, warning: true, text: fmt.Sprintf("<Say> has %d characters, at most %d", len([]rune(text)), limit)}, n})
			}
		case "Enqueue":
			switch name := n.text; {
			case len(n.children) > 0:
				found = append(found, finding{problem{text: "twiliosim does not simulate <Task>"}, n})
			case name == "":
				found = append(found, finding{problem{code: 14204, text: "<Enqueue> without a queue name"}, n})
			case len([]rune(name)) > 64:
				found = append(found, finding{problem{code: 14205, text: fmt.Sprintf("<Enqueue> queue name has %d characters, at most 64", len([]rune(name)))}, n})
			}
		case "Queue":
			switch name := n.text; {
			case name == "":
				found = append(found, finding{problem{code: 14212, text: "<Queue> without a name"}, n})
			case len([]rune(name)) > 64:
				found = append(found, finding{problem{code: 14213, text: fmt.Sprintf("<Queue> name has %d characters, at most 64", len([]rune(name)))}, n})
			}
		}
	}
	visit(root, grammar["Response"])
	for i := range found {
		if f := &found[i]; !f.warning && f.node.fault == nil {
			f.node.fault = &f.problem
		}
	}
	return found
}
