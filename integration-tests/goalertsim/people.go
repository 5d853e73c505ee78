package goalertsim

import (
	"crypto/rand"
	"maps"
	"math/big"
	"net/url"
	"regexp"
	"slices"
	"time"
)

var (
	phoneNumber = regexp.MustCompile(`^\+[1-9][0-9]{6,14}$`)
	errDisabled = fail("destination type is not enabled")
)

// equal tells whether two destinations are the same.
func (d destination) equal(o destination) bool { return d.Type == o.Type && maps.Equal(d.Args, o.Args) }

// badField is a destination whose arguments are refused.
func badField(name string) error {
	return apiError{message: unspecified("the argument %s is invalid", name), code: "INVALID_DEST_FIELD_VALUE"}
}

// webhook checks a webhook as a destination.
func (x *execution) webhook(d destination) error {
	if d.Type != destWebhook {
		return open("the destination type %q here", d.Type)
	}
	if x.cfg.WebhooksOff {
		return errDisabled
	}
	if u, err := url.Parse(d.Args["webhook_url"]); err != nil || u.Host == "" || len(d.Args) != 1 {
		return badField("webhook_url")
	}
	return nil
}

// contact checks a destination as a contact method.
func (x *execution) contact(d destination) error {
	if d.Type != destVoice && d.Type != destSMS {
		return x.webhook(d)
	}
	if x.cfg.TwilioURL == "" {
		return errDisabled
	}
	if !phoneNumber.MatchString(d.Args["phone_number"]) || len(d.Args) != 1 {
		return badField("phone_number")
	}
	return nil
}

func (x *execution) createUser(args arguments) (any, error) {
	in, err := input[struct{ Username, Password, Name, Role string }](args)
	if err != nil {
		return nil, err
	}
	if len(in.Username) < 3 {
		return nil, failUnspecified("the username has less than 3 characters")
	}
	if find(x.db.users, func(u *user) bool { return u.username == in.Username }) != nil {
		return nil, open("a second user with the username %q", in.Username)
	}
	u := &user{username: in.Username, password: in.Password, name: in.Name, role: in.Role}
	x.db.addUser(u)
	return x.user(u), nil
}

// createMethod adds a contact method, which is disabled until it is verified.
func (x *execution) createMethod(args arguments) (any, error) {
	in, err := input[struct {
		UserID                  string
		Dest                    destination
		NewUserNotificationRule *struct{ DelayMinutes int }
	}](args)
	if err != nil {
		return nil, err
	}
	u := x.db.user(in.UserID)
	if u == nil {
		return nil, open("contact methods of the unknown user %q", in.UserID)
	}
	if err := x.contact(in.Dest); err != nil {
		return nil, err
	}
	if len(u.methods) >= maxContactMethods {
		return nil, failUnspecified("the user has %d contact methods", maxContactMethods)
	}
	m := &contactMethod{id: newID(), dest: in.Dest, disabled: true}
	u.methods = append(u.methods, m)
	if r := in.NewUserNotificationRule; r != nil {
		u.rules = append(u.rules, notificationRule{time.Duration(r.DelayMinutes) * time.Minute, m})
	}
	return methodObject(m), nil
}

// sendVerification has the next cycle send a code.
func (x *execution) sendVerification(args arguments) (any, error) {
	in, err := input[struct{ ContactMethodID string }](args)
	if err != nil {
		return nil, err
	}
	u, m := x.db.method(in.ContactMethodID)
	if m == nil || m.dest.Type == destWebhook {
		return nil, open("verification of a webhook, or of an unknown contact method")
	}
	n, _ := rand.Int(rand.Reader, big.NewInt(900_000))
	m.code = 100_000 + int(n.Int64())
	x.db.messages = append(x.db.messages, &message{id: newID(), user: u, method: m, due: x.clock.Now(), code: m.code})
	return true, nil
}

func (x *execution) verify(args arguments) (any, error) {
	in, err := input[struct {
		ContactMethodID string
		Code            int
	}](args)
	if err != nil {
		return nil, err
	}
	_, m := x.db.method(in.ContactMethodID)
	if m == nil {
		return nil, open("verification of an unknown contact method")
	}
	if m.code == 0 || m.code != in.Code {
		return nil, failUnspecified("the code is wrong")
	}
	m.code, m.disabled = 0, false
	return true, nil
}

// usersOf are the users that an action notifies, without repetition.
func (db *database) usersOf(a destination, now time.Time) []*user {
	var ids []string
	switch a.Type {
	case destUser:
		ids = []string{a.Args["user_id"]}
	case destRotation:
		r := db.rotations[a.Args["rotation_id"]]
		ids = []string{r.users[r.index]}
	case destSchedule:
		ids = db.onSchedule(db.schedules[a.Args["schedule_id"]], now)
	}
	var all []*user
	for _, id := range ids {
		all = append(all, db.user(id))
	}
	return all
}

// onSchedule are the users on call by a schedule, overrides applied in the order of creation.
func (db *database) onSchedule(s *schedule, now time.Time) []string {
	var ids []string
	for _, id := range s.rotations {
		r := db.rotations[id]
		ids = append(ids, r.users[r.index])
	}
	for _, o := range db.overrides {
		if o.schedule != s.id || now.Before(o.start) || !now.Before(o.end) {
			continue
		}
		was := slices.Contains(ids, o.remove)
		ids = slices.DeleteFunc(ids, func(id string) bool { return id == o.remove })
		if o.add != "" && (o.remove == "" || was) {
			ids = append(ids, o.add)
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// DisableTwilio does what "set-config" with Twilio.Enable false does.
func (s *Sim) DisableTwilio() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cfg.TwilioURL = ""
}
