package integration

import "time"

// Audience is a group of people that the platform turns into addresses.
type Audience string

// The audiences.
const (
	AudienceTeam      Audience = "team"       // admins and members
	AudienceTeamAdmin Audience = "team-admin" // admins
	AudienceOnCall    Audience = "on-call"    // on call at Mail.At, all layers
)

// Recipient is an address or an audience of teams.
type Recipient struct {
	Address  string
	Audience Audience
	Teams    []string // of Audience: team ids
}

// Mail is sent once to each distinct address. A repeated send of the same Key has the same
// Message-ID.
type Mail struct {
	Key         string // names the mail within its session
	To          []Recipient
	At          time.Time // the moment whose audience counts
	Subject     string
	Text        string
	HTML        string     // "" = text only
	LinkAlert   bool       // the host adds a link to the alert's page
	Attachments []MediaRef // the host adds them when its settings allow, else a guarded link
}
