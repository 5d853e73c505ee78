// Package switchboardfile is the switchboard file in YAML: users, teams with their schedules and
// escalation, and routers with their rules, or which other platform has them; accounts and settings
// of the host. It is read and checked as a whole, and every problem is reported with line and
// column. A [File] is never changed, so it may be used by many goroutines.
//
//	file.go         the typed File; Load, Parse
//	source.go       the file as it changes
//	host.go         the sections of the host: platform, accounts
//	problem.go      Problem, and the list that collects them
//	schemacheck.go  the file against schema/switchboard.schema.json, in plain words
//	check.go        users and teams: unknown people and zones, layers that do not fit
//	addresses.go    where people and teams are notified
//	routers.go      routers; their rules are compiled here
//	route.go        where a router leads
//	shifts.go       the file with the shifts that people changed
//	oncall.go       who is on call, for all teams, as people
//	shared.go       what several hosts have in common of a file
package switchboardfile

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/internal/yamltree"
	"github.com/livecallrouting/livecall/host-sdk/oneline"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded/schedule"
	"github.com/livecallrouting/livecall/host-sdk/router"
)

// maxFileBytes bounds the file: 4 MiB hold tens of thousands of people.
const maxFileBytes = 4 << 20

// maxValues bounds the values in a file, aliases counted where they are used: a few lines of YAML
// can name one another into billions of values.
const maxValues = 200_000

// File is a switchboard file that passed every check. It is never changed after Load.
type File struct {
	Path     string
	Hash     string // hex SHA-256 of its bytes
	Users    []User
	Teams    []Team   // in the file's order
	Holidays []string // dates such as 2026-12-25, for windows of layers; see [schedule.Window]
	Routers  []Router
	Platform Platform
	// Raw: numbers and booleans as they are written in JSON; the host knows what they mean.
	Settings map[string]string
	Warnings []Problem // what may not be meant so

	// What is looked up by id or address; made by decode, and shared by copies that WithShifts
	// makes.
	accounts     []Account // of the section
	everyAccount []Account
	byEmail      map[string]*Account // of every account; see Mailbox
	source       []byte
	root         *yamltree.Node
	users        map[string]*User
	teams        map[string]*Team
	routers      map[string]*Router
}

// User is a person who may be called.
type User struct {
	ID     string   `json:"id"`
	Name   string   `json:"name"`
	Email  string   `json:"email"`
	Phones []string `json:"phones"` // E.164, in the order in which they are tried
	Role   string   `json:"role"`   // of the account that the e-mail is; "": RoleResponder
	// Notify is where the person is notified besides by mail and phone.
	Notify Addresses `json:"notify"`
}

// Team is what callers choose.
type Team struct {
	ID         string            `json:"id"`
	Name       string            `json:"name"`
	Admins     []string          `json:"admins"`
	Members    []string          `json:"members"`
	Channels   Addresses         `json:"channels"` // where the team is told of each of its alerts
	Schedule   schedule.Schedule `json:"schedule"`
	Escalation Escalation        `json:"escalation"`
}

// Escalation says how long each layer has, and how often all of it is repeated. Time-outs belong to
// layers, so both lists have the same length in a file that was checked.
type Escalation struct {
	// As many as the schedule has; filled with DefaultTimeout when the file has none.
	Layers []EscalationLayer `json:"layers"`
	Repeat int               `json:"repeat"` // rounds after the first
}

// EscalationLayer is one layer's time-out.
type EscalationLayer struct {
	Timeout schedule.Duration `json:"timeout"`
}

// DefaultTimeout is a layer's time-out when a team has no escalation section.
const DefaultTimeout = 5 * time.Minute

// Router chooses teams by rules.
type Router struct {
	ID       string
	Name     string // the id when the file has none
	Enabled  bool
	Defaults []string       // ids of teams or routers; at least one
	Rules    *router.Router // nil without rules
}

// Load reads and checks a file. All problems are reported, in the file's order; File is nil when
// one of them is [Fatal]. It reads the file once, so what was checked is what is used.
func Load(path string) (*File, []Problem) {
	data, err := read(path)
	if err != nil {
		return nil, []Problem{{File: path, Message: err.Error()}}
	}
	return Parse(path, data)
}

// read returns the bytes of a file, which are not endless: a pipe may keep its reader waiting, a
// device may never end, and a file may grow while it is read. Errors are words for people and leave
// the path to the problem.
func read(path string) ([]byte, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, errors.New("cannot be read: " + plainPathError(err))
	// Most likely the folder was named in place of the file.
	case info.IsDir():
		return nil, errors.New("is a directory: name the switchboard file itself")
	case !info.Mode().IsRegular():
		return nil, errors.New("is a pipe or a device: name a file, which switchboard can read again when it changes")
	}
	f, err := os.Open(filepath.Clean(path))
	if err != nil {
		return nil, errors.New("cannot be read: " + plainPathError(err))
	}
	defer func() { _ = f.Close() }()
	data, err := io.ReadAll(io.LimitReader(f, maxFileBytes+1))
	if err != nil {
		return nil, errors.New("cannot be read: " + plainPathError(err))
	}
	if len(data) > maxFileBytes {
		return nil, fmt.Errorf("has more than the limit of %d bytes", maxFileBytes)
	}
	return data, nil
}

// plainPathError leaves out the operation and the path, which the problem names already. An
// *fs.PathError reads "open /path: permission denied".
func plainPathError(err error) string {
	text := err.Error()
	if i := strings.LastIndex(text, ": "); i >= 0 {
		return text[i+2:]
	}
	return text
}

// Parse is Load of bytes; path only names the file in problems. It goes on after each kind of
// problem as long as there is a tree, so that one run tells everything.
func Parse(path string, data []byte) (*File, []Problem) {
	root, unreadable := yamltree.Parse(data, maxValues)
	list := &problemList{root: root}
	for _, p := range unreadable {
		list.put(p.Line, p.Column, p.Pointer, p.Message, false)
	}
	// Without a tree nothing can be checked; what is wrong has been said.
	if root == nil {
		if len(unreadable) == 0 {
			list.put(0, 0, "", "the file is empty", false)
		}
		return nil, list.sorted(path)
	}
	checkSchema(root, list)
	// The hash tells whether the file in force is the one on disk; it covers comments as well.
	sum := sha256.Sum256(data)
	f := &File{Path: path, Hash: hex.EncodeToString(sum[:]), source: data, root: root}
	f.decode()
	f.check(list)
	problems := list.sorted(path)
	if Fatal(problems) {
		return nil, problems
	}
	// What is left are warnings: anything worse has returned above.
	f.Warnings = problems
	return f, problems
}

// fileJSON is the file's layout; routers differ from their typed form. A pointer or raw text where
// absent and empty differ.
type fileJSON struct {
	Users    []User   `json:"users"`
	Teams    []Team   `json:"teams"`
	Holidays []string `json:"holidays"`
	Routers  []struct {
		ID              string          `json:"id"`
		Name            string          `json:"name"`
		Enabled         *bool           `json:"enabled"`
		DefaultReceiver json.RawMessage `json:"default_receiver"`
	} `json:"routers"`
	Platform Platform                   `json:"platform"`
	Accounts []Account                  `json:"accounts"`
	Settings map[string]json.RawMessage `json:"settings"`
}

// decode takes what fits: a value of the wrong type stays empty, and the schema check has already
// said so. Of several entries with one id the first is found by it; the others are problems.
// encoding/json goes on after a value of the wrong type, and returns its error at the end, so the
// error is of no use.
func (f *File) decode() {
	var in fileJSON
	_ = json.Unmarshal(f.root.JSON(), &in)
	f.Users, f.Teams, f.Platform, f.accounts = in.Users, in.Teams, in.Platform, in.Accounts
	f.Holidays = in.Holidays
	// A file without the section is that of a switchboard with people of its own.
	f.Platform.Kind = cmp.Or(f.Platform.Kind, KindEmbedded)
	for i := range f.accounts {
		f.accounts[i].Role = cmp.Or(f.accounts[i].Role, RoleResponder)
	}
	for i := range f.Users {
		f.Users[i].Name = oneline.Clean(f.Users[i].Name, oneline.MaxName)
	}
	for i := range f.Teams {
		f.Teams[i].Name = oneline.Clean(f.Teams[i].Name, oneline.MaxName)
	}
	f.users, f.teams, f.routers = map[string]*User{}, map[string]*Team{}, map[string]*Router{}
	for i := range f.Users {
		addFirst(f.users, f.Users[i].ID, &f.Users[i])
	}
	for i := range f.Teams {
		t := &f.Teams[i]
		// Afterwards there are as many time-outs as layers, on which OnCall relies.
		if len(t.Escalation.Layers) == 0 {
			for range t.Schedule.Layers {
				t.Escalation.Layers = append(t.Escalation.Layers, EscalationLayer{Timeout: schedule.Duration(DefaultTimeout)})
			}
		}
		addFirst(f.teams, t.ID, t)
	}
	for _, r := range in.Routers {
		out := Router{ID: r.ID, Name: cmp.Or(oneline.Clean(r.Name, oneline.MaxName), r.ID), Enabled: r.Enabled == nil || *r.Enabled}
		var one string
		if json.Unmarshal(r.DefaultReceiver, &one) == nil && one != "" {
			out.Defaults = []string{one}
		} else {
			_ = json.Unmarshal(r.DefaultReceiver, &out.Defaults)
		}
		f.Routers = append(f.Routers, out)
	}
	for i := range f.Routers {
		addFirst(f.routers, f.Routers[i].ID, &f.Routers[i])
	}
	f.collectAccounts()
	if len(in.Settings) > 0 {
		f.Settings = make(map[string]string, len(in.Settings))
	}
	for k, raw := range in.Settings {
		// Text loses its quotes; 8080 and true stay as they are written.
		var text string
		if json.Unmarshal(raw, &text) != nil {
			text = string(raw)
		}
		f.Settings[k] = text
	}
}

// addFirst leaves an entry alone that is there already: an id given twice is reported, and means
// the first meanwhile. An empty id is added like any other; nobody looks one up.
func addFirst[T any](byID map[string]*T, id string, entry *T) {
	if _, taken := byID[id]; !taken {
		byID[id] = entry
	}
}

// Source returns the file as it was read. It must not be changed.
func (f *File) Source() []byte { return f.source }

// SettingProblem is what a host does not like about a setting of a file, which may be wrong
// otherwise, with the place where it stands; the file alone if it is not there. It reads the file
// again, as a host learns what is wrong with a setting only when it uses it.
func SettingProblem(path, name, message string) Problem {
	out := Problem{File: path, Path: "settings", Message: message}
	data, err := read(path)
	if err != nil {
		return out
	}
	root, _ := yamltree.Parse(data, maxValues)
	if section := root.Child("settings"); section.Has(name) {
		at := section.KeyAt(name)
		out.Line, out.Column = at.Line, at.Column
	}
	return out
}

// SettingsOf reads the settings of a file that may be wrong otherwise; nil if it is no YAML at all,
// or cannot be read. They are not checked. Commands need the settings, such as the data directory,
// also while the rest is being corrected.
func SettingsOf(path string) map[string]string {
	data, err := read(path)
	if err != nil {
		return nil
	}
	root, _ := yamltree.Parse(data, maxValues)
	if root == nil {
		return nil
	}
	f := &File{root: root}
	f.decode()
	return f.Settings
}

// User finds a person by id; nil when the file has none.
func (f *File) User(id string) *User { return f.users[id] }

// Team finds a team by id; nil when the file has none.
func (f *File) Team(id string) *Team { return f.teams[id] }

// Router finds a router by id; nil when the file has none.
func (f *File) Router(id string) *Router { return f.routers[id] }

// Contract is the person as the contract knows people.
func (u *User) Contract() integration.User {
	return integration.User{ID: u.ID, Name: u.Name, Email: u.Email, Phones: slices.Clone(u.Phones)}
}

// Destination is the team as the contract knows teams.
func (t *Team) Destination() integration.Destination {
	return integration.Destination{Kind: integration.DestinationTeam, ID: t.ID, Name: t.Name}
}

// ProblemAt is what a host does not like about a value (a JSON pointer such as "/platform/url"),
// with the place where it stands, or the nearest thing around it.
func (f *File) ProblemAt(pointer, message string) Problem {
	n := f.root.Nearest(pointer)
	return Problem{File: f.Path, Line: n.Line, Column: n.Column, Path: humanPath(pointer), Message: message}
}
