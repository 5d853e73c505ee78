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
type asking struct {
	in     io.Reader
	out    io.Writer
	buffer *bufio.Reader
}

func (a *asking) line(prompt string, hidden bool) (string, error) {
	if a.in == nil {
		return "", io.EOF
	}
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
