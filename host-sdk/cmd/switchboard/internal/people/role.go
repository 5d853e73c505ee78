package people

import (
	"slices"

	"github.com/livecallrouting/livecall/host-sdk/platform/embedded/switchboardfile"
)

// Role is what an account, a token or a login is for. The same words as in the switchboard file.
type Role string

// Roles, from the least to the most.
const (
	Viewer    Role = switchboardfile.RoleViewer
	Responder Role = switchboardfile.RoleResponder
	// Product is for tokens alone: that of a product on whose pages people have their own phones
	// rung.
	Product Role = "product"
	Admin   Role = switchboardfile.RoleAdmin
)

// roles in the order of what they may do: each may do what those before it may.
var roles = []Role{Viewer, Responder, Product, Admin}

// TokenRoles are the roles that a token may have, from the least to the most. A copy: nobody may
// change the order.
func TokenRoles() []Role { return slices.Clone(roles) }

// ParseRole reads the role of a person; false if the text is none. Product is not a person's.
func ParseRole(text string) (Role, bool) {
	role, ok := parseTokenRole(text)
	return role, ok && role != Product
}

// parseTokenRole reads the role of a token; false if the text is none.
func parseTokenRole(text string) (Role, bool) {
	return Role(text), slices.Contains(roles, Role(text))
}

// Action is what a request wants to do. The words are never stored or shown.
type Action string

// Actions. Each route of the pages and of the API needs one of them.
const (
	Look      Action = "look"      // see alerts, calls, who is on call
	SeeAlert  Action = "see alert" // see one alert
	TakeAlert Action = "take"      // acknowledge or decline one alert
	Hear      Action = "hear"      // hear what was recorded
	// Everything else about alerts and calls, such as resolving, notes.
	Respond Action = "respond"
	// Delete recordings, alerts and the records of calls, and forget callers.
	Erase Action = "erase"
	// One's own shifts; those of others for whoever may Configure, and a team's admins.
	Shift     Action = "shift"
	Configure Action = "configure" // integrations and the switchboard file
	// A test ring of somebody else, in whose name the program asks for it.
	RingThem Action = "ring"
	Manage   Action = "manage" // tokens, the logins of others, the audit
	Self     Action = "self"   // one's own account and logins
)

// least is the least role that may do each action. It is the only place that decides it.
var least = map[Action]Role{
	Look: Viewer, SeeAlert: Viewer, Self: Viewer,
	TakeAlert: Responder, Hear: Responder, Respond: Responder, Shift: Responder,
	RingThem: Product, Configure: Admin, Manage: Admin, Erase: Admin,
}

// ofPage are the actions that the link in a page allows, on its alert. What a person needs at night
// with the telephone in one hand.
var ofPage = []Action{SeeAlert, TakeAlert, Hear}

// May reports whether a role may do an action. An unknown action and an unknown role may do
// nothing.
func (r Role) May(a Action) bool {
	need, known := least[a]
	return known && slices.Contains(roles, r) && slices.Index(roles, r) >= slices.Index(roles, need)
}

// Least is the least role that may do an action.
func Least(a Action) Role { return least[a] }
