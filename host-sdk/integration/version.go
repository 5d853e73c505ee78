package integration

// ProtocolVersion is the major version of the wire between host and plugin, as go-plugin negotiates
// it. It changes when an old host and a new plugin can no longer talk. The manifest, the proto
// package and the plugin's `describe` output carry the same number; a test holds them together.
const ProtocolVersion = 1

// ProtocolMinor counts additions to the protocol that an older peer may ignore.
const ProtocolMinor = 1

// MaxMessageBytes bounds one message on the wire in either direction: 16 MiB. Recordings are the
// largest.
const MaxMessageBytes = 16 << 20

// MaxNeedRounds is how often a handler may ask questions for one request before the host gives up
// with an internal error.
const MaxNeedRounds = 3

// MaxActionRounds is the same for an action, for which no caller waits.
const MaxActionRounds = 6
