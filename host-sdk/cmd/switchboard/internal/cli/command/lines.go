package command

import (
	"bytes"
	"errors"
	"strings"
)

// LinesFlag is the flag --json of commands that answer in lines for people.
type LinesFlag struct {
	JSON bool `name:"json" help:"Print JSON: whether all is well, and the lines."`
}

// answeredLines is what such a command prints as JSON.
type answeredLines struct {
	OK    bool     `json:"ok"` // as the exit status
	Lines []string `json:"lines"`
}

// Print runs a command, and with --json prints its lines as JSON. The exit status is the command's.
// An error that stopped it goes to stderr, as without --json.
func (f LinesFlag) Print(s *Surroundings, run func(*Surroundings) error) error {
	if !f.JSON {
		return run(s)
	}
	var b bytes.Buffer
	// The command writes into a buffer; what it says on stderr is shown at once.
	inner := *s
	inner.Stdout = &b
	err := run(&inner)
	if err != nil && !errors.Is(err, ErrSaid) {
		return err
	}
	out := answeredLines{OK: err == nil, Lines: []string{}}
	for line := range strings.Lines(b.String()) {
		out.Lines = append(out.Lines, strings.TrimRight(line, "\n"))
	}
	if failed := PrintJSON(s.Stdout, out); failed != nil {
		return failed
	}
	return err
}
