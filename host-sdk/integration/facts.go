package integration

import "time"

// Facts is everything a handler may know. The same facts give the same outcome.
type Facts struct {
	Now      time.Time // the only clock a handler has; UTC
	Instance Instance  // the configured integration
	Session  *Session  // nil: no session of this key yet
	// The key under which the outcome's session will be stored; "" if the request names none.
	SessionKey string
	// Of the instance, in the instance's order; a last-known-good copy when the platform is down.
	Destinations []Destination
	// Last known snapshot of the session's alert; nil: no alert yet, or not known.
	Alert *AlertSnapshot
	// To the questions of earlier rounds, and of [WebhookDescription.RecentCalls].
	Answers []Answer
	// Of the instance, as handlers and actions left them; perhaps a second old.
	Findings []Finding
	// FindingsUnknown says that the findings could not be read: that one is not there says nothing
	// (since minor 1).
	FindingsUnknown bool
	// SeenAt is when a handler last said of a request of this session that the caller is there
	// ([Outcome.Seen]), at whichever host. It may lag behind by half a minute where hosts share a
	// store, and by what was not stored yet when a host died. Zero: the host does not keep it, or
	// has not heard it yet; then the plugin keeps it in its state (since minor 1).
	SeenAt time.Time
	// HearingSince is since when this host has been there for all requests: one that came earlier
	// may have been missed, so earlier silence says nothing. Zero: the host does not say (since
	// minor 1).
	HearingSince time.Time
	// MediaURLs are addresses of the media that belong to this session ([SessionUpdate.Media]), by
	// reference. They are public to whoever knows them, made anew for each request, valid for ten
	// minutes, and served with Cache-Control: no-store. They must not be stored, logged or shown.
	MediaURLs map[string]string
	// WriteFormats are the newest formats in which everybody who may read it can read what the
	// handler leaves: while releases are rolled out, those of the oldest of the hosts. None is
	// newer than what the plugin writes ([Description.Formats]). A field that is zero asks for
	// nothing: an older host does not say it. What a format cannot express must not begin while an
	// older one is asked for; what has begun already keeps its own.
	WriteFormats Formats
}

// Instance is one configured integration. It holds secrets: never log it.
type Instance struct {
	ID            string
	Name          string
	Revision      int64     // of Options; pinned for the life of a session
	SavedAt       time.Time // when the newest revision was saved, whatever revision is pinned
	Options       []byte    // JSON object: the pinned revision's document with today's secrets
	OptionsFormat int
	// Absolute public URL without trailing slash; issued URLs are below it.
	EndpointURL string
	TokenKey    []byte    // 32 random bytes of this instance, for tokens in issued URLs
	State       HostState // whether the host wants calls served
	// Of the host, see [ProtocolMinor]: what a later minor added is unknown to it, not false.
	ProtocolMinor int
	// For alerts: low, medium, high, critical; "" = the platform's default.
	Urgency      string
	Capabilities Capabilities      // of the platform behind the host
	MediaURLs    map[string]string // public address of each media reference ("media:…") in Options
	// MediaSlices are the public addresses of the pieces of a medium in Options, in order, cut so
	// that they may be played one after the other; each is about fifteen seconds long. A medium
	// that is not listed is short, or the host cannot cut it.
	MediaSlices map[string][]string
}

// HostState says whether, and why not, the host wants a call served. It is spoken to the caller,
// never an HTTP error.
type HostState string

// The host states.
const (
	HostActive      HostState = "active"
	HostDisabled    HostState = "disabled"
	HostMaintenance HostState = "maintenance"
	HostUnavailable HostState = "unavailable"  // not offered on this plan
	HostRateLimited HostState = "rate_limited" // too many calls just now
	// HostDeleted: the instance was deleted while this call ran. New calls never see it.
	HostDeleted HostState = "deleted"
)

// Capabilities says what the platform can do; the flow copes with what it cannot.
type Capabilities struct {
	UnroutedAlerts     bool // an alert can exist before it is routed to a team
	Reopen             bool // an acknowledgement can be taken back
	Escalate           bool // the next layer can be paged by command
	AcknowledgeAs      bool // an alert can be acknowledged in a person's name
	AcknowledgedByUser bool // acknowledgements name a user
	Annotations        bool // log lines, fields and attachments are kept on the alert
	Routers            bool // destinations may be routers
	PagesByItself      bool // people are paged by phone, push or SMS without our help
	Audiences          bool // mail audiences (team, team-admin, on-call) can be resolved
	Mail               bool // the host can send mail (since minor 1)
	// People are told of a new alert by some means other than our phone calls (since minor 1).
	Notifies bool
	// CallMedia: the host gives addresses of a call's own media ([Facts.MediaURLs]), so that a
	// message can be played to people on the phone, and keeps the rules of sessions whose call has
	// ended ([SessionUpdate.WaitsFor], [TimerPersonWanted]). Since minor 1.
	CallMedia bool
}

// Session is the durable state of one call, as the last committed outcome left it.
type Session struct {
	Key       string
	Version   int64  // counts commits; the host's compare-and-swap works on it
	State     []byte // the plugin's own
	Format    int    // of State
	CreatedAt time.Time
	UpdatedAt time.Time
}

// DestinationKind is team or router.
type DestinationKind string

// The destination kinds.
const (
	DestinationTeam   DestinationKind = "team"
	DestinationRouter DestinationKind = "router"
)

// Destination is a team or a router that calls of an instance may go to.
type Destination struct {
	Kind    DestinationKind
	ID      string
	Name    string // spoken to callers; any Unicode
	Missing bool   // the platform no longer knows it
}
