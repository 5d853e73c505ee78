package twiml

// attribute is one row of the table: the check of a value, and the code and severity of a wrong
// one.
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
	// simulated: this simulator executes it. The use of any other ends the call with an error,
	// since the call could not go on as at Twilio.
	simulated bool
}

// row is an attribute of which a wrong value is skipped with a warning; fatal one of which it ends
// the document.
func row(c check, code int) attribute   { return attribute{check: c, code: code} }
func fatal(c check, code int) attribute { return attribute{check: c, code: code, fatal: true} }

// callbackEvents are separated by spaces in TwiML, while REST takes one parameter for each.
var callbackEvents = words(oneOf("initiated", "ringing", "answered", "completed"))

// withDetection adds the attributes that Number has for machine detection and for its leg.
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

// ssml lists the elements that a <Say> may hold (Twilio docs: voice/twiml/say/text-speech).
var ssml = []string{"break", "emphasis", "lang", "p", "phoneme", "prosody", "s", "say-as", "sub", "w", "amazon:effect", "amazon:auto-breaths", "amazon:domain"}

// grammar is the closed table. Source: Twilio docs, voice/twiml/*; the codes: api/errors.
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
