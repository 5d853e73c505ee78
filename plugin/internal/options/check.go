package options

import (
	"fmt"
	"net/mail"
	"regexp"
	"strings"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/phone"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/config"
)

// Shapes that the schema leaves to this package, as its words about them name the likely mistake.
var (
	keyShape = regexp.MustCompile(`^SK[0-9a-f]{32}$`)
	// twilio-go refuses other characters in credentials.
	alphanumeric  = regexp.MustCompile(`^[A-Za-z0-9]+$`)
	mailAudiences = map[string]integration.Audience{
		"team": integration.AudienceTeam, "team-admin": integration.AudienceTeamAdmin, "on-call": integration.AudienceOnCall,
	}
)

// maxTranscribed is the length in seconds up to which Twilio transcribes a recording (Twilio docs:
// voice/twiml/record).
const maxTranscribed = 120

// check finds what the schema cannot express. It sees the values that the schema accepted and those
// that it refused; a field that has a problem already gets no second one where that would only
// repeat it. in adds what the platform and host say; zero values of it check less.
func (p *problems) check(known map[string]any, in Context) {
	// A value of the wrong type counts as empty here, as the schema has refused it.
	text := func(key string) string { s, _ := known[key].(string); return s }
	flag := func(key string) bool { b, _ := known[key].(bool); return b }

	if s := text("api_key"); s != "" && !keyShape.MatchString(s) {
		p.add("api_key", "format", "%s must be the SID of an API key: SK followed by 32 digits or letters from a to f. It is neither the account SID nor the name of the key.", title("api_key"))
	}
	for _, key := range []string{"api_secret", "auth_token", "auth_token_previous"} {
		if s := text(key); s != "" && !alphanumeric.MatchString(s) {
			p.add(key, "format", "%s may only contain letters and digits; paste it again without quotes and spaces.", title(key))
		}
	}
	if text("auth_token") == "" && text("auth_token_previous") != "" {
		p.add("auth_token_previous", "conflict", "%s is only used together with %s; fill that in too.", title("auth_token_previous"), title("auth_token"))
	}
	// With ring and both, the phones of people who did not ask for the call are called. A mailbox
	// would answer first every time.
	if v, there := known["confirm_answer"]; there && v == false {
		if r := text("reach"); r == string(config.ReachRing) || r == string(config.ReachBoth) {
			p.add("confirm_answer", "conflict", "%s must be on when %s calls people who did not acknowledge the alert: otherwise a mailbox would take every call.", title("confirm_answer"), title("reach"))
		}
	}
	// In order, so that the same document has the same messages each time.
	for _, key := range sortedKeys(known) {
		if form().fields[key].Media != nil {
			p.source(key, text(key), in)
		}
	}
	// Twilio turns there when this host is down, with all that it knows of the call.
	if s := text("fallback_url"); s != "" && !p.has("fallback_url") && !httpsAddress(s) {
		p.add("fallback_url", "format", "%s must be an https address.", title("fallback_url"))
	}
	if flag("transcribe") {
		if n, ok := number(known["voicemail_max_length"]); ok && n > maxTranscribed {
			p.add("voicemail_max_length", "conflict", "%s may be at most %d seconds when %s is on.",
				title("voicemail_max_length"), maxTranscribed, title("transcribe"))
		}
	}
	p.entries("voicemail_emails", known, func(s string) (string, bool) {
		_, ok := recipient(s)
		return "must be an e-mail address or one of the words team, team-admin and on-call", ok
	})
	// It decides how numbers without a plus sign are read, so it is checked before them.
	country := text("country")
	if country != "" && !p.has("country") && !phone.IsCountry(country) {
		p.add("country", "format", "%s %q is not known: write the two letters of a country, such as US or GB.", title("country"), country)
		country = ""
	}
	p.entries("banned_phones", known, func(s string) (string, bool) {
		_, err := phone.ReadBan(s, country)
		return reason(err) + ". It may be a number, the first digits of one followed by a star, or the word anonymous", err == nil
	})
	p.checkVoice(text("voice"), languageOf(known))
	if s := text("caller_id"); s != "" && !p.has("caller_id") {
		if _, err := phone.Read(s, country); err != nil {
			p.add("caller_id", "format", "%s %s.", title("caller_id"), reason(err))
		}
	}
	// Problems of the destinations do not concern a field, so they do not reset one.
	if in.Destinations != nil && present(in.Destinations) == 0 {
		p.problems = append(p.problems, integration.Problem{Path: "destinations", Code: "required", Message: "Choose at least one team or router. Without one, nobody can be called."})
	}
}

// present counts the destinations that the platform still knows.
func present(ds []integration.Destination) int {
	n := 0
	for _, d := range ds {
		if !d.Missing {
			n++
		}
	}
	return n
}

// number reads a whole number of a decoded document, which holds numbers as json.Number. False for
// anything else, also for a fraction.
func number(v any) (int64, bool) {
	n, ok := v.(interface{ Int64() (int64, error) })
	if !ok {
		return 0, false
	}
	i, err := n.Int64()
	return i, err == nil
}

// source checks a recording field. Text is spoken as it is, so only addresses and references can be
// wrong.
func (p *problems) source(key, v string, in Context) {
	if p.has(key) {
		return
	}
	s := parseSource(v)
	switch {
	case s.URL != "" && !httpsAddress(s.URL):
		p.add(key, "format", "%s: the address must begin with https:// and must not contain a user name. You can also upload the file.", title(key))
	case s.Media != "" && !mediaRef.MatchString(s.Media):
		p.add(key, "format", "%s: the reference to the uploaded file is damaged; upload it again.", title(key))
	case s.Media != "" && in.MediaURLs != nil && in.MediaURLs[s.Media] == "":
		p.add(key, "not_found", "%s: the uploaded file no longer exists; upload it again.", title(key))
	case s.Text != "" && !form().fields[key].Media.Text:
		p.add(key, "format", "%s must be the https address of a sound file or an uploaded file.", title(key))
	}
}

// entries checks each entry of a list. Empty entries are ignored: a text area easily has an empty
// line. ok returns what an entry must be, as the rest of a sentence, and whether it is.
func (p *problems) entries(key string, known map[string]any, ok func(string) (string, bool)) {
	list, _ := known[key].([]any)
	if p.has(key) {
		return
	}
	for i, v := range list {
		s, _ := v.(string)
		if want, fine := ok(s); !fine && strings.TrimSpace(s) != "" {
			p.add(fmt.Sprintf("%s/%d", key, i), "format", "%s, entry %d, %s.", title(key), i+1, want)
		}
	}
}

// recipient reads an entry of the mail list. Addresses with a display name are refused, because the
// form shows bare addresses.
func recipient(s string) (Recipient, bool) {
	s = strings.TrimSpace(s)
	if a, ok := mailAudiences[strings.ToLower(s)]; ok {
		return Recipient{Audience: a}, true
	}
	addr, err := mail.ParseAddress(s)
	if err != nil || addr.Address != s || !strings.Contains(s[strings.LastIndex(s, "@"):], ".") {
		return Recipient{}, false
	}
	return Recipient{Address: s}, true
}

// callerID is the number shown to responders, as Twilio takes it. "" where it cannot be read: then
// responders see the number that was called.
func (d document) callerID() string {
	if n, err := phone.Read(d.CallerID, d.Country); err == nil {
		return n
	}
	return ""
}

// warnings lists what is allowed but probably not intended. They never keep a document from being
// saved.
func (d document) warnings(in Context, o Options) []integration.Problem {
	var out []integration.Problem
	warn := func(path, code, format string, args ...any) {
		out = append(out, integration.Problem{Path: path, Code: code, Message: fmt.Sprintf(format, args...)})
	}
	if d.AuthToken == "" {
		warn("auth_token", "recommended", "Without %s, forged requests cannot be recognized: every call is looked up at Twilio before anybody is called.", title("auth_token"))
	}
	// Some warnings are the same as what a call and a check find out, from the same functions.
	host := integration.Instance{Capabilities: in.Capabilities, ProtocolMinor: in.ProtocolMinor}
	if unnotified := o.Unnotified(host); unnotified != "" {
		warn("reach", "unreached", "No phone rings, because %s. Choose another way in %s, or have people told of alerts.", unnotified, title("reach"))
	}
	why, silent := o.Unmailed(host), o.Undelivered(host)
	if why != "" && silent != "" {
		warn("voicemail_emails", "unreached", "%s is on, but nobody is mailed about a message, because %s; and nobody is called to hear it, because %s. It is only kept with the alert.", title("voicemail"), why, silent)
	}
	if o.Flow.Deliver == config.DeliverOn && o.Flow.Voicemail && silent != "" {
		warn("deliver_messages", "no_effect", "%s has no effect, because %s.", title("deliver_messages"), silent)
	}
	for i, entry := range o.Banned {
		if phone.IsE164(entry) && phone.Doubtful(entry) {
			warn("banned_phones", "doubtful", "%s: number %d of the list is in no range that its country is known to use, so it may never match.", title("banned_phones"), i+1)
			break
		}
	}
	if o.CallerID != "" && phone.Doubtful(o.CallerID) {
		warn("caller_id", "doubtful", "%s is in no range of numbers that its country is known to use: check it for a typing error.", title("caller_id"))
	}
	if !d.Voicemail && d.Straight {
		warn("send_straight_to_voicemail", "no_effect", "%s has no effect while %s is off.", title("send_straight_to_voicemail"), title("voicemail"))
	}
	if d.Transcribe && !strings.HasPrefix(d.Language, "en") {
		warn("transcribe", "no_effect", "Twilio only transcribes English.")
	}
	// What auto means is only known together with the platform, so this is no problem of the
	// document.
	if d.Reach == string(config.ReachAuto) && !d.ConfirmAnswer && !in.Capabilities.PagesByItself {
		warn("confirm_answer", "no_effect", "%s is treated as on, because on this platform people are called who did not acknowledge the alert.", title("confirm_answer"))
	}
	for _, e := range d.VoicemailEmails {
		if r, ok := recipient(e); ok && r.Audience != "" && !in.Capabilities.Audiences && why == "" {
			warn("voicemail_emails", "unsupported", "This platform cannot resolve the words team, team-admin and on-call: they reach nobody.")
			break
		}
	}
	if o.Prompts["wait_music"].URL != "" {
		warn("wait_music", "info", "A file at an address is played to its end before the state of the call is checked again: a long file delays voicemail.")
	}
	// Without destinations (nil) nothing is counted and nothing is said.
	teams, routers := 0, 0
	for _, dst := range in.Destinations {
		switch dst.Kind {
		case integration.DestinationTeam:
			teams++
		case integration.DestinationRouter:
			routers++
		}
		if dst.Missing {
			warn("destinations", "not_found", "A chosen team or router no longer exists; choose another one.")
		}
	}
	switch {
	case teams > 99:
		warn("destinations", "range", "A menu has at most 99 teams; the others cannot be reached.")
	case teams > 9:
		warn("destinations", "range", "A menu of more than nine teams is long and needs two keys per team.")
	}
	if teams > 0 && routers > 0 {
		warn("destinations", "conflict", "If a router assigns teams, the teams chosen here are ignored.")
	}
	return out
}

// reason is an error as part of a sentence; "" for none.
func reason(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
