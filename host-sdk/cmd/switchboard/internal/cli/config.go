package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/settings"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded/switchboardfile"
)

// loadFile reads the switchboard file. Its problems go to stderr, one line each; the
// error is the sum.
func loadFile(s *surroundings, path string) (*switchboardfile.File, error) {
	if err := present(path); err != nil {
		return nil, err
	}
	loaded, problems := switchboardfile.Load(path)
	if loaded != nil {
		return loaded, nil
	}
	fatal := 0
	for _, p := range problems {
		if !p.Warning {
			fatal++
			_, _ = fmt.Fprintln(s.stderr, p.String())
		}
	}
	return nil, fmt.Errorf("%s cannot be used: %s", path, plural(fatal, "problem"))
}

// present refuses a path at which there is nothing.
func present(path string) error {
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("%s: there is no such file: name the switchboard file with --config or SWITCHBOARD_CONFIG, or create one with: switchboard config sample > switchboard.yaml", path)
	}
	return nil
}

// configCheckCommand is config check.
type configCheckCommand struct {
	settings.Config
}

// Run prints problems as FILE:LINE:COLUMN: what, and a summary when there are none.
func (c configCheckCommand) Run(s *surroundings) error {
	path := c.Path()
	if err := present(path); err != nil {
		return err
	}
	loaded, problems := switchboardfile.Load(path)
	fatal := switchboardfile.Fatal(problems)
	for _, p := range problems {
		_, _ = fmt.Fprintln(s.stdout, p.String())
	}
	if loaded != nil {
		n := settingProblems(s.stdout, path, loaded.Settings, s.exeDir)
		fatal = fatal || n > 0 // LoadWithRules does not check the settings
	}
	if fatal {
		return errSaid
	}
	_, err := fmt.Fprintf(s.stdout, "%s is valid: %s, %s, %s\n", path,
		plural(len(loaded.Users), "user"), plural(len(loaded.Teams), "team"), plural(len(loaded.Routers), "router"))
	return err
}

// configSampleCommand is config sample.
type configSampleCommand struct{}

// Run prints the sample.
func (configSampleCommand) Run(s *surroundings) error {
	_, err := s.stdout.Write(s.sample)
	return err
}

// settingProblems prints what is wrong with the file's own settings, whatever flags and environment
// would say.
func settingProblems(w io.Writer, path string, given map[string]string, exeDir string) int {
	_, err := settings.Resolve(settings.Flags{Config: settings.Config{Config: path}}, given, exeDir)
	if err == nil {
		return 0
	}
	// Resolve joins all problems: each is printed at its own line of the file.
	found := []error{err}
	if joined, ok := err.(interface{ Unwrap() []error }); ok { //nolint:errorlint // the outermost error alone is the list
		found = joined.Unwrap()
	}
	text, _ := os.ReadFile(path) //nolint:gosec // the operator's own file, read a moment ago
	n := 0
	for _, e := range found {
		var p *settings.Problem
		if errors.As(e, &p) && p.Name == "database_url" && strings.Contains(p.Error(), "SWITCHBOARD_") {
			continue // secrets do not belong into the file
		}
		n++
		place := path
		if errors.As(e, &p) {
			if line := settingLine(string(text), p.Name); line > 0 {
				place = fmt.Sprintf("%s:%d", path, line)
			}
		}
		_, _ = fmt.Fprintf(w, "%s: settings: %s\n", place, strings.ReplaceAll(e.Error(), "\n", "; "))
	}
	return n
}

// settingLine finds the line of a setting below "settings:", from 1; 0 if it is written in another
// style.
func settingLine(text, name string) int {
	entry := regexp.MustCompile(`^\s+["']?` + regexp.QuoteMeta(name) + `["']?\s*:`)
	inside := false
	for i, line := range strings.Split(text, "\n") {
		switch {
		case strings.HasPrefix(line, "settings:"):
			inside = true
		case inside && entry.MatchString(line):
			return i + 1
		case line != "" && line[0] != ' ' && line[0] != '#':
			inside = false
		}
	}
	return 0
}

// plural is a number with its noun.
func plural(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return fmt.Sprintf("%d %ss", n, word)
}
