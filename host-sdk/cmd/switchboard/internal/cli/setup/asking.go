package setup

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/cli/command"
	"golang.org/x/term"
)

// asking reads answers, a line each. A terminal shows the prompt, and does not show what is hidden.
// One reader serves all questions: a second one would lose what the first had read ahead.
type asking struct {
	in     io.Reader
	out    io.Writer
	buffer *bufio.Reader
}

// line returns an answer without its line end. io.EOF: there are no more; a last line without an
// end counts.
func (a *asking) line(prompt string, hidden bool) (string, error) {
	if a.in == nil {
		return "", io.EOF
	}
	// Prompts go to a person only, so that a script's output has none of them.
	if file, ok := a.in.(*os.File); ok && term.IsTerminal(int(file.Fd())) {
		_, _ = fmt.Fprintf(a.out, "%s: ", prompt)
		if hidden {
			text, err := term.ReadPassword(int(file.Fd()))
			_, _ = fmt.Fprintln(a.out)
			return string(text), err
		}
	}
	if a.buffer == nil {
		a.buffer = bufio.NewReader(a.in)
	}
	text, err := a.buffer.ReadString('\n')
	if errors.Is(err, io.EOF) && text != "" {
		err = nil
	}
	return strings.TrimRight(text, "\r\n"), err
}

// terminal says whether a person types the answers.
func terminal(s *command.Surroundings) bool {
	file, ok := s.Stdin.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}
