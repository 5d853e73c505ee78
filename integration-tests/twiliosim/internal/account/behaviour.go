package account

import "time"

// Behaviour holds what Twilio's documentation does not settle. The zero value is the documented
// default of each field; a program should work under every setting, and a test may set each.
type Behaviour struct {
	// PlayFailureContinues skips a <Play> whose file cannot be fetched. Default: it is fatal
	// (fallback URL, else the spoken application error).
	PlayFailureContinues bool
	// PlayFailureNamesDocument gives the document's address as ErrorUrl where the file of a <Play>
	// cannot be fetched. Default: the file's.
	PlayFailureNamesDocument bool
	// AnnouncementFailureEnds ends the stay in the queue with QueueResult=error, and the dialer's
	// part with DialBridged=false, where the announcement fails. Default: the conversation begins
	// without it.
	AnnouncementFailureEnds bool
	// SignHTTPSPort makes the signature of an https URL cover an explicit port. Default: the port
	// is left out for https and kept for http.
	SignHTTPSPort bool
	// InboundAbandonStatus is the final status of an inbound call whose caller gave up before it
	// was answered. Default "no-answer".
	InboundAbandonStatus string
	// WhisperDeclineStatus is DialCallStatus when the called party hung up, or was hung up on, in
	// the whisper. Default "completed" (with DialBridged=false).
	WhisperDeclineStatus string
	// QueueCallerGoneStatus is DialCallStatus of a <Dial><Queue> whose caller left while the
	// announcement ran. Default "completed" (with DialBridged=false).
	QueueCallerGoneStatus string
	// DialerGoneResult is the QueueResult of a caller whose dialer left while the announcement ran.
	// Default "bridged".
	DialerGoneResult string
	// AbandonedDialStatus is DialCallStatus when the caller hung up while a <Dial> was still
	// ringing. Default "no-answer".
	AbandonedDialStatus string
	// NoDialActionOnHangup leaves the <Dial> action out when the caller hangs up. Default: it
	// is, with CallStatus=completed, and its answer ignored.
	NoDialActionOnHangup bool
	// StatusCallbackFirst sends the number's status callback before the Enqueue action when a
	// caller hangs up in a queue. Default: after.
	StatusCallbackFirst bool
	// ShuffleStatusCallbacks delays each status callback at random by up to two seconds, so that
	// they arrive in any order. Default: in order.
	ShuffleStatusCallbacks bool
	// KeepSilentRecordings keeps a recording without a sound as completed. Default: it ends as
	// absent, 16102.
	KeepSilentRecordings bool
	// ShortestRecording is the length below which a recording ends as absent, 16101. Default 1s.
	ShortestRecording time.Duration
	// RecordingDelay is the time from the end of a recording until it is completed and its media
	// can be fetched. Default 2s.
	RecordingDelay time.Duration
	// TranscriptionDelay is the time from the completed recording until its transcription. Default
	// 5s.
	TranscriptionDelay time.Duration
	// TranscriptionFails makes transcriptions end as failed.
	TranscriptionFails bool
	// WaitPause is the time between the end of one wait document and the next request, when the
	// document took no time at all. Default 1s. (Whether Twilio waits at all is unknown; a document
	// that takes no time is a violation.)
	WaitPause time.Duration
	// RingExtra is added to every ringing time limit. Default 5s (Twilio docs: voice/twiml/dial,
	// timeout).
	RingExtra time.Duration
	// SetupTime is the time from dialing a number until it rings. Default 500ms.
	SetupTime time.Duration
	// MachineDetectionTime is the time a blocking machine detection takes. Default 4s.
	MachineDetectionTime time.Duration
	// AnonymousCallerIDFails makes a <Dial> without callerId from a withheld number fail. Default:
	// the number is passed on.
	AnonymousCallerIDFails bool
	// QueueDeleteRefusal is the error code with which deleting a queue that is not empty is refused
	// (HTTP 400). Default 20001.
	QueueDeleteRefusal int
	// LongTwimlRefusal is the error code with which inline TwiML over 4000 characters is refused
	// (HTTP 400). Default 20001.
	LongTwimlRefusal int
	// WaitVerbContinues skips a verb that a wait document may not hold. Default:
	// QueueResult=error.
	WaitVerbContinues bool
	// LegacyGatherParameters adds FinishedOnKey and msg=Gather End to a Gather's action.
	LegacyGatherParameters bool
	// MediaNotReadyStatus is the HTTP status of media that are not completed yet. Default 404.
	MediaNotReadyStatus int
}

func (b Behaviour) withDefaults() Behaviour {
	orDefault(&b.InboundAbandonStatus, StatusNoAnswer)
	orDefault(&b.WhisperDeclineStatus, StatusCompleted)
	orDefault(&b.QueueCallerGoneStatus, StatusCompleted)
	orDefault(&b.DialerGoneResult, "bridged")
	orDefault(&b.AbandonedDialStatus, StatusNoAnswer)
	orDefault(&b.ShortestRecording, time.Second)
	orDefault(&b.RecordingDelay, 2*time.Second)
	orDefault(&b.TranscriptionDelay, 5*time.Second)
	orDefault(&b.WaitPause, time.Second)
	orDefault(&b.RingExtra, 5*time.Second)
	orDefault(&b.SetupTime, 500*time.Millisecond)
	orDefault(&b.MachineDetectionTime, 4*time.Second)
	orDefault(&b.QueueDeleteRefusal, 20001)
	orDefault(&b.LongTwimlRefusal, 20001)
	orDefault(&b.MediaNotReadyStatus, 404)
	return b
}
