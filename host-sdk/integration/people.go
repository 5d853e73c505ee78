package integration

// User is a person who may take a call.
type User struct {
	ID     string
	Name   string
	Email  string
	Phones []string // E.164, in the order in which to try them; empty: no phone on file
	// OccupiedBy is the key of another live session of this instance that occupies this user
	// ([SessionUpdate.Occupies]) or, if none does, of an older one that waits for them
	// ([SessionUpdate.WaitsFor]); "" if there is neither. A session whose call has ended counts as
	// younger than all others.
	OccupiedBy string
	// OccupiedHow is one of the words below, or "" where the host does not know (since minor 1).
	OccupiedHow string
	// AwaitedBy holds the keys of other live sessions of this instance whose calls have ended and
	// that wait for this user ([SessionUpdate.WaitsFor]), the oldest first: they have something to
	// tell, too. In answers to [AskUser] alone (since minor 1).
	AwaitedBy []string
}

// What a session does with a user whom it occupies, or wants: [User.OccupiedHow].
const (
	OccupiedTalking = "talking" // the user speaks with its caller
	OccupiedRinging = "ringing" // the user is being rung or asked
	OccupiedWaiting = "waiting" // it waits for the user, and began earlier
	// OccupiedTelling: its call has ended, and it has something to tell the user, now or when they
	// are free.
	OccupiedTelling = "telling"
)

// OnCallEntry is one person on call for a layer of a team.
type OnCallEntry struct {
	Layer int // from 1; 1 is paged first
	User  User
}
