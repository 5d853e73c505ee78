package goalertsim

import (
	"slices"
	"strings"
	"time"
)

// database is what the server stores.
type database struct {
	users     []*user
	sessions  map[string]*user
	apiKeys   map[string]*apiKey
	rotations map[string]*rotation
	schedules map[string]*schedule
	overrides []override
	policies  map[string]*policy
	services  []*service
	alerts    []*alert
	lastAlert int // numbers are used up by duplicates too
	events    []event
	messages  []*message // calls to people
	hooks     []*hook    // webhooks of alerts
	sent      map[string][]time.Time
	nextScan  time.Time // of changes whose AlertStatus was not sent at once
}

func newDatabase(now time.Time) database {
	return database{
		sessions: map[string]*user{}, apiKeys: map[string]*apiKey{}, rotations: map[string]*rotation{},
		schedules: map[string]*schedule{}, policies: map[string]*policy{}, sent: map[string][]time.Time{},
		nextScan: now.Add(time.Minute),
	}
}

// destination is where messages go, or what an escalation step notifies.
type destination struct {
	Type string            `json:"type"`
	Args map[string]string `json:"args"`
}

// Types of destinations.
const (
	destVoice    = "builtin-twilio-voice"
	destSMS      = "builtin-twilio-sms"
	destWebhook  = "builtin-webhook"
	destUser     = "builtin-user"
	destRotation = "builtin-rotation"
	destSchedule = "builtin-schedule"
)

type user struct {
	id, username, password, name, role string
	methods                            []*contactMethod
	rules                              []notificationRule
}

type contactMethod struct {
	id       string
	dest     destination
	disabled bool
	code     int // 0: none is valid
}

type notificationRule struct {
	delay  time.Duration
	method *contactMethod
}

// rotation hands over to the next user at each handoff.
type rotation struct {
	id    string
	shift time.Duration
	users []string
	index int
	next  time.Time
}

type schedule struct {
	id        string
	rotations []string
	notify    []destination
	onCall    []string // users, as of the last cycle
	computed  bool
}

type override struct {
	schedule, add, remove string
	start, end            time.Time
}

type policy struct {
	id     string
	name   string
	repeat int // -1: forever
	steps  []*step
}

type step struct {
	delay   time.Duration
	actions []destination
}

type label struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

type service struct {
	id, name    string
	policy      *policy
	labels      []label
	maintenance *time.Time
	keys        []integrationKey
	onCall      []onCall // as of the last cycle
}

type integrationKey struct{ id, name string }

// onCall is a user on call in a step.
type onCall struct {
	user *user
	step int
}

// Statuses of an alert.
const (
	triggered    = "StatusUnacknowledged"
	acknowledged = "StatusAcknowledged"
	closed       = "StatusClosed"
)

type alert struct {
	id                      int
	service                 *service
	summary, details, dedup string
	meta                    []label
	status                  string
	step, repeats           int
	escalated               *time.Time // nil before the first step
	escalate                bool       // at the next cycle
	noise                   *string
}

// event is a line of an alert's log.
type event struct {
	id      int
	alert   *alert
	at      time.Time
	message string
	msgID   string // "": of no message
}

func (db *database) addUser(u *user) {
	u.id = newID()
	db.users = append(db.users, u)
}

func (db *database) user(id string) *user {
	return find(db.users, func(u *user) bool { return u.id == id })
}

func (db *database) service(id string) *service {
	return find(db.services, func(s *service) bool { return s.id == id })
}

func (db *database) alert(id int) *alert {
	return find(db.alerts, func(a *alert) bool { return a.id == id })
}

// method finds a contact method and whose it is.
func (db *database) method(id string) (*user, *contactMethod) {
	for _, u := range db.users {
		if m := find(u.methods, func(m *contactMethod) bool { return m.id == id }); m != nil {
			return u, m
		}
	}
	return nil, nil
}

// openAlert finds the alert of a service that is not closed and has a dedup key.
func (db *database) openAlert(s *service, dedup string) *alert {
	return find(db.alerts, func(a *alert) bool { return a.service == s && a.dedup == dedup && a.status != closed })
}

// unacknowledged counts a service's alerts that nobody has acknowledged.
func (db *database) unacknowledged(s *service) int {
	n := 0
	for _, a := range db.alerts {
		if a.service == s && a.status == triggered {
			n++
		}
	}
	return n
}

// log adds a line to an alert's log.
func (db *database) log(a *alert, now time.Time, text, msgID string) {
	db.events = append(db.events, event{id: len(db.events) + 1, alert: a, at: now, message: text, msgID: msgID})
}

// matches tells whether a service has a label, given as key=value.
func (s *service) matches(search string) bool {
	key, value, _ := strings.Cut(search, "=")
	return slices.Contains(s.labels, label{key, value})
}

// inMaintenance tells whether nobody is notified.
func (s *service) inMaintenance(now time.Time) bool {
	return s.maintenance != nil && now.Before(*s.maintenance)
}

// find is the first element that is wanted, nil if there is none.
func find[T any](all []*T, wanted func(*T) bool) *T {
	if i := slices.IndexFunc(all, wanted); i >= 0 {
		return all[i]
	}
	return nil
}
