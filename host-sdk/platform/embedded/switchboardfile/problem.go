package switchboardfile

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/livecallrouting/livecall/host-sdk/internal/yamltree"
)

// Problem is something wrong (or, with Warning, doubtful) in a file. Pages, the command line and
// the log show the same ones.
type Problem struct {
	File    string
	Line    int    // from 1; 0: the file as a whole
	Column  int    // from 1
	Path    string // such as teams[0].schedule.timezone
	Message string // plain words; never a setting's value
	Warning bool
	Restart bool // nothing is wrong with the file: it takes a restart
	More    int  // of the last ones: how many more there are, which are not reported one by one
}

// String is "file:line:column: path: message". Editors and terminals make such a line a link.
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

// Fatal reports whether a file with these problems cannot be used: whether any of them is more than
// a warning.
func Fatal(problems []Problem) bool {
	return slices.ContainsFunc(problems, func(p Problem) bool { return !p.Warning })
}

// Count is the number of problems that are more than warnings. Those that are not reported one by
// one are counted, too.
func Count(problems []Problem) int {
	n := 0
	for _, p := range problems {
		if !p.Warning {
			n += max(1, p.More)
		}
	}
	return n
}

// Text is the problems that are more than warnings, one a line.
func Text(problems []Problem) string {
	lines := make([]string, 0, len(problems))
	for _, p := range problems {
		if !p.Warning {
			lines = append(lines, p.String())
		}
	}
	return strings.Join(lines, "\n")
}

// InOrder sorts problems by their places in the file. Those of the file as a whole come last. It is
// for problems that were found in several runs, such as those of the settings.
func InOrder(problems []Problem) {
	slices.SortStableFunc(problems, func(a, b Problem) int {
		// 0 becomes the greatest.
		return cmp.Or(cmp.Compare(uint(a.Line)-1, uint(b.Line)-1), cmp.Compare(a.Column, b.Column))
	})
}

// maxProblems is how many errors, and how many warnings, are reported one by one. Beyond them only
// their number counts: whoever reads them corrects the first ones and checks again.
const maxProblems = 50

// maxCollected bounds the problems that are kept until they are sorted. They are found in another
// order than that of the file.
const maxCollected = 2000

// maxMessage bounds a message, in bytes: some repeat what is written, which may be megabytes long.
const maxMessage = 500

// problemList collects problems; the first one at a pointer wins, as later checks only repeat it.
// It belongs to one reading of a file. root finds places; all else counts.
type problemList struct {
	root     *yamltree.Node
	items    []Problem
	seen     map[string]bool
	fatal    int // problems that are more than warnings
	warnings int
	near     int // names that were compared in search of suggestions
}

// put adds a problem at a place. The pointer is where the value is or would be. Beyond maxCollected
// it only counts.
func (l *problemList) put(line, column int, pointer, message string, warning bool) {
	key := fmt.Sprint(pointer, "\x00", line, ":", column)
	if l.seen == nil {
		l.seen = map[string]bool{}
	}
	// Problems of the file as a whole have no place by which they could be compared.
	if l.seen[key] && pointer != "" {
		return
	}
	l.seen[key] = true
	number := &l.fatal
	if warning {
		number = &l.warnings
	}
	if *number++; *number <= maxCollected {
		// Cut at a byte, then made valid again: half of a character would not be.
		if len(message) > maxMessage {
			message = strings.ToValidUTF8(message[:maxMessage], "") + "…"
		}
		l.items = append(l.items, Problem{Line: line, Column: column, Path: humanPath(pointer), Message: message, Warning: warning})
	}
}

// errorAt reports a problem with the value at pointer, or with what is missing there. What is
// missing has no place: it is reported at what should hold it.
func (l *problemList) errorAt(pointer, format string, args ...any) {
	l.putAt(l.root.Nearest(pointer), pointer, fmt.Sprintf(format, args...), false)
}

// warnAt reports a warning about the value at pointer.
func (l *problemList) warnAt(pointer, format string, args ...any) {
	l.putAt(l.root.Nearest(pointer), pointer, fmt.Sprintf(format, args...), true)
}

// errorAtKey reports a problem with a key itself, of the map at parent. It is for keys that should
// not be there, whose value is not to blame.
func (l *problemList) errorAtKey(parent, key, message string) {
	l.putAt(l.root.Nearest(parent).KeyAt(key), parent+"/"+yamltree.EscapePointer(key), message, false)
}

// putAt is put with the place of n.
func (l *problemList) putAt(n *yamltree.Node, pointer, message string, warning bool) {
	l.put(n.Line, n.Column, pointer, message, warning)
}

// sorted returns the problems in the order of the file, with its path, and how many more there are.
// Only now are there lines to go by: checks find problems section by section.
func (l *problemList) sorted(path string) []Problem {
	slices.SortStableFunc(l.items, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	var out []Problem
	errs, warnings := 0, 0
	for _, p := range l.items {
		number := &errs
		if p.Warning {
			number = &warnings
		}
		if *number++; *number <= maxProblems {
			p.File = path
			out = append(out, p)
		}
	}
	if more := l.fatal - maxProblems; more > 0 {
		out = append(out, Problem{File: path, More: more, Message: fmt.Sprintf("… and %d more problems", more)})
	}
	if more := l.warnings - maxProblems; more > 0 {
		out = append(out, Problem{File: path, More: more, Message: fmt.Sprintf("… and %d more warnings", more), Warning: true})
	}
	return out
}

// humanPath writes /teams/0/name as teams[0].name. It is what people see in their file, where a
// JSON pointer would be a riddle.
func humanPath(pointer string) string {
	var b strings.Builder
	for _, part := range yamltree.SplitPointer(pointer) {
		if _, err := strconv.Atoi(part); err == nil {
			b.WriteString("[" + part + "]")
			continue
		}
		if b.Len() > 0 {
			b.WriteByte('.')
		}
		b.WriteString(yamltree.Shorten(part))
	}
	return b.String()
}
