package config

import (
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/reply"
)

// Reach says how responders are reached.
type Reach string

// The ways. Auto is both on a platform that does not page by itself, else acknowledge.
const (
	ReachAuto        Reach = "auto"
	ReachAcknowledge Reach = "acknowledge" // whoever acknowledges the alert is rung
	// The on-call people of each escalation layer are rung as it is reached.
	ReachRing Reach = "ring"
	ReachBoth Reach = "both"
)

// Fallback is what follows three menu rounds without a valid key.
type Fallback string

// The fallbacks.
const (
	FallbackVoicemail Fallback = "voicemail" // goodbye where voicemail is off
	FallbackFirstTeam Fallback = "first_team"
)

// GiveUp says when a caller whom nobody answers is given up before the longest wait is over.
type GiveUp string

// The ways. Policy waits for as long as the platform's escalation has not dropped the alert.
const (
	GiveUpPolicy   GiveUp = "policy"
	GiveUpOneRound GiveUp = "one_round" // when everybody on call, in all layers, was tried once
)

// Deliver says whether people are rung to hear a message.
type Deliver string

// The ways. Auto is on where the platform does not page people by phone itself.
const (
	DeliverAuto Deliver = "auto"
	DeliverOn   Deliver = "on"
	DeliverOff  Deliver = "off"
)

// Config is what the flow depends on among the options. It is constant during a call (options are
// pinned by revision).
type Config struct {
	Reach Reach // "" = auto
	// Ask "press 1"; taken as on where reach rings people who did not acknowledge.
	ConfirmAnswer bool
	RingTimeout   time.Duration // how long a responder's phone rings
	// Between an acknowledgement and dialing: the line that acknowledged may still be busy; 0: at
	// once.
	DialPause time.Duration

	ForceInput   bool     // ask even where there is one team
	MenuFallback Fallback // "" = voicemail

	MaxWait time.Duration // longest hold; 30 s to an hour
	GiveUp  GiveUp        // when the hold ends before that for want of an answer; "" = policy

	// CallsPerNumber is how many calls of one number within ten minutes are served; the rest leave
	// a message. 0: no limit.
	CallsPerNumber int

	Voicemail          bool
	VoicemailMaxLength time.Duration
	Transcribe         bool
	DeleteRecording    bool    // at Twilio, once the host keeps the audio
	Deliver            Deliver // whether people are rung to hear a message; "" = auto
	// Of messages: people are named by address, and not only by their role in a team.
	MailsAddresses bool
	// Unmailed says why nobody can be mailed about a message; "" = somebody may be.
	Unmailed            string
	StraightToVoicemail bool // page nobody until a message is left; needs Voicemail

	SkipResolveOnHangup bool // keep the alert of a caller who hangs up
	ResolveOnCompleted  bool // resolve the alert when a conversation ends

	// Sounds are the recording fields that hold a file, whether at an address or uploaded.
	Sounds map[reply.PromptKey]Sound
}

// Sound is a file that Twilio fetches.
type Sound struct {
	Title string   // of the form field
	URLs  []string // where Twilio fetches it; several where it is served in pieces
}

// Defaults returns the documented defaults of every option.
func Defaults() Config {
	return Config{
		Reach:              ReachAuto,
		ConfirmAnswer:      true,
		RingTimeout:        25 * time.Second,
		DialPause:          time.Second,
		MenuFallback:       FallbackVoicemail,
		MaxWait:            10 * time.Minute,
		GiveUp:             GiveUpPolicy,
		CallsPerNumber:     20,
		VoicemailMaxLength: time.Minute,
		Deliver:            DeliverAuto,
	}
}

// ReachOn resolves auto against what the platform can do.
func (c Config) ReachOn(caps integration.Capabilities) Reach {
	switch c.Reach {
	case ReachAcknowledge, ReachRing, ReachBoth:
		return c.Reach
	case ReachAuto:
	}
	if caps.PagesByItself {
		return ReachAcknowledge
	}
	return ReachBoth
}

// Delivers reports whether people are rung to hear a message, on a platform and host that can do
// this. A host that gives no addresses of a call's recordings cannot have them played.
func (c Config) Delivers(caps integration.Capabilities) bool {
	switch {
	case !c.Voicemail, !caps.CallMedia, c.Deliver == DeliverOff:
		return false
	case c.Deliver == DeliverOn:
		return true
	}
	return !caps.PagesByItself
}
