package embedded

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// maxFileBytes bounds the file: 4 MiB hold tens of thousands of people.
const maxFileBytes = 4 << 20

// File is a switchboard file that passed every check. It is never changed after Load.
type File struct {
	Path     string
	Hash     string // hex SHA-256 of its bytes
	Users    []User
	Teams    []Team // in the file's order
	Routers  []Router
	Settings map[string]string // raw: numbers and booleans as they are written in JSON; the host knows what they mean

	root  *node
	users map[string]*User
	teams map[string]*Team
	route map[string]*Router
}

// User is a person who may be called.
type User struct {
	ID     string   `json:"id"`
	Name   string   `json:"name"`
	Email  string   `json:"email"`
	Phones []string `json:"phones"` // E.164, in the order in which they are tried
}

// Team is what callers choose.
type Team struct {
	ID         string     `json:"id"`
	Name       string     `json:"name"`
	Admins     []string   `json:"admins"`
	Members    []string   `json:"members"`
	Schedule   Schedule   `json:"schedule"`
	Escalation Escalation `json:"escalation"`
}

// Escalation says how long each layer has, and how often all of it is repeated.
type Escalation struct {
	Layers []EscalationLayer `json:"layers"` // as many as the schedule has; filled with DefaultTimeout when the file has none
	Repeat int               `json:"repeat"` // rounds after the first
}

// EscalationLayer is one layer's time-out.
type EscalationLayer struct {
	Timeout Duration `json:"timeout"`
}

// DefaultTimeout is a layer's time-out when a team has no escalation section.
const DefaultTimeout = 5 * time.Minute

// Router chooses teams by rules.
type Router struct {
	ID       string
	Name     string // the id when the file has none
	Enabled  bool
	Defaults []string        // ids of teams or routers; at least one
	Rules    json.RawMessage // JSON array in the file's order; nil without rules
}

// Problem is something wrong (or, with Warning, doubtful) in a file.
type Problem struct {
	File    string
	Line    int    // from 1; 0: the file as a whole
	Column  int    // from 1
	Path    string // such as teams[0].schedule.timezone
	Message string // plain words; never a setting's value
	Warning bool
}

// String is "file:line:column: path: message".
func (p Problem) String() string {
	var b strings.Builder
	b.WriteString(p.File)
	if p.Line > 0 {
		fmt.Fprintf(&b, ":%d:%d", p.Line, p.Column)
	}
	b.WriteString(": ")
	if p.Warning {
		b.WriteString("warning: ")
	}
	if p.Path != "" {
		b.WriteString(p.Path + ": ")
	}
	b.WriteString(p.Message)
	return b.String()
}

// Fatal reports whether a file with these problems cannot be used: whether any of them is more than a warning.
func Fatal(problems []Problem) bool {
	return slices.ContainsFunc(problems, func(p Problem) bool { return !p.Warning })
}

// Load reads and checks a file. All problems are reported, in the file's order; File is nil when one of them is [Fatal].
func Load(path string) (*File, []Problem) { return loadWith(path, nil) }

// LoadWithRules is Load that has the rules of routers checked by engine as well.
func LoadWithRules(path string, engine RuleEngine) (*File, []Problem) { return loadWith(path, engine) }

func loadWith(path string, engine RuleEngine) (*File, []Problem) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, []Problem{{File: path, Message: "cannot be read: " + plainPathError(err)}}
	}
	if info.IsDir() {
		return nil, []Problem{{File: path, Message: "is a directory: name the switchboard file itself"}}
	}
	if info.Size() > maxFileBytes {
		return nil, []Problem{{File: path, Message: fmt.Sprintf("has %d bytes, more than the limit of %d", info.Size(), maxFileBytes)}}
	}
	data, err := os.ReadFile(filepath.Clean(path))
	if err != nil {
		return nil, []Problem{{File: path, Message: "cannot be read: " + plainPathError(err)}}
	}
	return Parse(path, data, engine)
}

func plainPathError(err error) string {
	text := err.Error()
	if i := strings.LastIndex(text, ": "); i >= 0 {
		return text[i+2:]
	}
	return text
}

// Parse is Load of bytes; path only names the file in problems. engine may be nil: then rules are checked for their
// shape and receivers alone.
func Parse(path string, data []byte, engine RuleEngine) (*File, []Problem) {
	list := &problemList{}
	root := parseYAML(data, list)
	if root == nil {
		return nil, list.sorted(path)
	}
	list.root = root
	checkSchema(root, list)
	sum := sha256.Sum256(data)
	f := &File{Path: path, Hash: hex.EncodeToString(sum[:]), root: root}
	f.decode()
	f.check(list, engine)
	problems := list.sorted(path)
	if Fatal(problems) {
		return nil, problems
	}
	return f, problems
}

// fileJSON is the file's layout; routers differ from their typed form.
type fileJSON struct {
	Users   []User `json:"users"`
	Teams   []Team `json:"teams"`
	Routers []struct {
		ID              string          `json:"id"`
		Name            string          `json:"name"`
		Enabled         *bool           `json:"enabled"`
		DefaultReceiver json.RawMessage `json:"default_receiver"`
		Rules           json.RawMessage `json:"rules"`
	} `json:"routers"`
	Settings map[string]json.RawMessage `json:"settings"`
}

// decode takes what fits: a value of the wrong type stays empty, and the schema check has already said so.
func (f *File) decode() {
	var in fileJSON
	_ = json.Unmarshal(f.root.json(), &in) // type mismatches are reported, with their place, by the schema check
	f.Users, f.Teams = in.Users, in.Teams
	f.users, f.teams, f.route = map[string]*User{}, map[string]*Team{}, map[string]*Router{}
	for i := range f.Users {
		if _, taken := f.users[f.Users[i].ID]; !taken {
			f.users[f.Users[i].ID] = &f.Users[i]
		}
	}
	for i := range f.Teams {
		t := &f.Teams[i]
		if len(t.Escalation.Layers) == 0 {
			for range t.Schedule.Layers {
				t.Escalation.Layers = append(t.Escalation.Layers, EscalationLayer{Timeout: Duration(DefaultTimeout)})
			}
		}
		if _, taken := f.teams[t.ID]; !taken {
			f.teams[t.ID] = t
		}
	}
	for _, r := range in.Routers {
		out := Router{ID: r.ID, Name: r.Name, Enabled: r.Enabled == nil || *r.Enabled}
		if out.Name == "" {
			out.Name = out.ID
		}
		var one string
		if json.Unmarshal(r.DefaultReceiver, &one) == nil && one != "" {
			out.Defaults = []string{one}
		} else {
			_ = json.Unmarshal(r.DefaultReceiver, &out.Defaults) // reported by the schema check
		}
		if len(r.Rules) > 2 && r.Rules[0] == '[' {
			out.Rules = r.Rules
		}
		f.Routers = append(f.Routers, out)
	}
	for i := range f.Routers {
		if _, taken := f.route[f.Routers[i].ID]; !taken {
			f.route[f.Routers[i].ID] = &f.Routers[i]
		}
	}
	if len(in.Settings) > 0 {
		f.Settings = make(map[string]string, len(in.Settings))
		for k, raw := range in.Settings {
			var text string
			if json.Unmarshal(raw, &text) != nil {
				text = string(raw)
			}
			f.Settings[k] = text
		}
	}
}

// User finds a person by id; nil when the file has none.
func (f *File) User(id string) *User { return f.users[id] }

// Team finds a team by id; nil when the file has none.
func (f *File) Team(id string) *Team { return f.teams[id] }

// Router finds a router by id; nil when the file has none.
func (f *File) Router(id string) *Router { return f.route[id] }

// Position is where a value (a JSON pointer such as "/settings/listen") stands in the file, or the nearest thing around
// it; a host uses it to report what it does not like about a setting.
func (f *File) Position(pointer string) (line, column int) {
	p := f.root.at(pointer)
	return p.line, p.column
}

// problemList collects problems; the first one at a pointer wins, as later checks only repeat it.
type problemList struct {
	root  *node
	items []Problem
	seen  map[string]bool
}

func (l *problemList) add(at position, pointer, message string) {
	l.put(at, pointer, message, false)
}

func (l *problemList) put(at position, pointer, message string, warning bool) {
	key := fmt.Sprint(pointer, "\x00", at)
	if l.seen == nil {
		l.seen = map[string]bool{}
	}
	if l.seen[key] && pointer != "" {
		return
	}
	l.seen[key] = true
	l.items = append(l.items, Problem{Line: at.line, Column: at.column, Path: humanPath(pointer), Message: message, Warning: warning})
}

// errorAt reports a problem with the value at pointer.
func (l *problemList) errorAt(pointer, format string, args ...any) {
	l.put(l.root.at(pointer), pointer, fmt.Sprintf(format, args...), false)
}

// warnAt reports a doubt about the value at pointer.
func (l *problemList) warnAt(pointer, format string, args ...any) {
	l.put(l.root.at(pointer), pointer, fmt.Sprintf(format, args...), true)
}

func (l *problemList) sorted(path string) []Problem {
	for i := range l.items {
		l.items[i].File = path
	}
	slices.SortStableFunc(l.items, func(a, b Problem) int {
		if a.Line != b.Line {
			return a.Line - b.Line
		}
		return a.Column - b.Column
	})
	return l.items
}

// humanPath writes /teams/0/name as teams[0].name.
func humanPath(pointer string) string {
	var b strings.Builder
	for _, part := range splitPointer(pointer) {
		if _, err := strconv.Atoi(part); err == nil {
			b.WriteString("[" + part + "]")
			continue
		}
		if b.Len() > 0 {
			b.WriteByte('.')
		}
		b.WriteString(part)
	}
	return b.String()
}
