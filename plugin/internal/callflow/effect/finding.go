package effect

// Codes of findings. A finding is replaced and cleared by its code, so these are kept from one
// release to the next.
const (
	FindingCallsNotFound = "calls-not-found"
	FindingUnverified    = "calls-unverified"
	FindingSignature     = "signature-mismatch"
	FindingNoTeam        = "no-team"
	FindingLoop          = "hotline-calls-itself"
	FindingDialing       = "dialing-fails"
	FindingAlert         = "alert-refused"
	FindingUnmailed      = "message-unmailed"
	FindingMailRefused   = "mail-refused"
	FindingUnheard       = "message-unheard"
)

// FindingSound begins the codes of findings about a sound file that could not be played; the field
// follows.
const FindingSound = "sound-"
