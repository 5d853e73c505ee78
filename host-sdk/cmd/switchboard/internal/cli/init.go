package cli

import (
	"cmp"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/term"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/firstfile"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/settings"
	"github.com/livecallrouting/livecall/host-sdk/manifest"
	"github.com/livecallrouting/livecall/host-sdk/publicurl"
	"github.com/livecallrouting/livecall/host-sdk/store/seal"
)

// initCommand is init. The address of the mail server has no flag, as it may hold a password, which
// other users can read in command lines.
type initCommand struct {
	settings.Config
	settings.Plugins
	Environment string `name:"environment" placeholder:"FILE" help:"Environment file to write (default: switchboard.env beside the switchboard file)."`
	Team        string `name:"team" placeholder:"NAME" help:"Organisation or team that callers reach, as they hear it (default: On Call)."`
	TimeZone    string `name:"time-zone" placeholder:"ZONE" help:"Time zone of its schedule (default: that of this machine)."`
	PublicURL   string `name:"public-url" placeholder:"URL" help:"https address at which the Internet reaches this machine (default: none yet)."`
	Number      string `name:"number" placeholder:"NUMBER" help:"Telephone number of the hotline (default: none yet)."`
	Person      string `name:"person" placeholder:"NAME" help:"Who is on call first, and an admin."`
	Phone       string `name:"phone" placeholder:"NUMBER" help:"Their phone, with a plus sign and the country code."`
	Email       string `name:"email" placeholder:"ADDRESS" help:"Their e-mail address (default: none)."`
	Yes         bool   `name:"yes" help:"Ask nothing: flags and defaults are the answers. The mail server is that of SWITCHBOARD_SMTP_URL, if it is set."`
}

// Help is shown by init --help.
func (initCommand) Help() string {
	return "Asks six questions, and writes a switchboard file and an environment file with a new secret key and a new API token, both for their owner alone. Overwrites nothing. What a flag answers is not asked. Without a terminal, answers are read from the standard input, a line each. " +
		"The account of the telephone service is not asked for: it goes into the form of the integration, where it is encrypted."
}

// maxTries is how often a terminal is asked again after an answer that cannot be used.
const maxTries = 5

// question is one line to be answered.
type question struct {
	heading  string // of the questions that follow; "": they belong to the one before
	prompt   string
	flag     string
	into     *string
	fallback string
	needed   bool
	hidden   bool
	check    func(string) error
}

// Run asks, writes, and says what comes next.
func (c initCommand) Run(s *surroundings) error {
	path := c.Path()
	environment := cmp.Or(c.Environment, filepath.Join(filepath.Dir(path), "switchboard.env"))
	for _, one := range []string{path, environment} { // before anybody has typed anything
		if _, err := os.Lstat(one); err == nil {
			return fmt.Errorf("%s exists already, and nothing is overwritten: move it away, or name another place with --config and --environment", one)
		}
	}
	folder, err := filepath.Abs(filepath.Dir(path))
	if err != nil {
		return err
	}
	answers, err := c.answers(s)
	if err != nil {
		return err
	}
	if err := answers.Check(); err != nil {
		return err
	}
	text := answers.File()
	if err := firstfile.Verify(path, text); err != nil {
		return err
	}
	err = firstfile.Write(map[string][]byte{path: text, environment: answers.Environment(folder, filepath.Base(path), seal.NewKey(), rand.Text())})
	if err != nil {
		return err
	}
	return c.next(s, path, environment, answers)
}

// answers asks for what no flag says.
func (c initCommand) answers(s *surroundings) (firstfile.Answers, error) {
	a := firstfile.Answers{Team: c.Team, TimeZone: c.TimeZone, PublicURL: c.PublicURL, Number: c.Number, Person: c.Person, Phone: c.Phone, Email: c.Email}
	smtp := os.Getenv("SWITCHBOARD_SMTP_URL")
	ask := asking{in: s.stdin, out: s.stderr}
	for _, q := range []question{
		{heading: "1 of 6: whom do callers reach?", prompt: "Name of the team, as callers hear it", flag: "--team", into: &a.Team, fallback: "On Call", check: firstfile.Name},
		{prompt: "Its time zone", flag: "--time-zone", into: &a.TimeZone, fallback: firstfile.LocalZone(), check: firstfile.Zone},
		{heading: "2 of 6: at which https address does the Internet reach this machine?", prompt: "Public address, such as https://hotline.example.com (empty: not yet)", flag: "--public-url", into: &a.PublicURL, check: firstfile.Public},
		{heading: "3 of 6: which number do callers dial?", prompt: "Number of the hotline, such as +12025550100 (empty: not yet)", flag: "--number", into: &a.Number, check: firstfile.Number},
		{heading: "4 of 6: who is on call first?", prompt: "Name", flag: "--person", into: &a.Person, needed: true, check: firstfile.Name},
		{prompt: "Phone, such as +12025550143", flag: "--phone", into: &a.Phone, needed: true, check: firstfile.Number},
		{heading: "5 of 6: where do they get mail?", prompt: "E-mail address, with which they also log in (empty: none)", flag: "--email", into: &a.Email, check: firstfile.Email},
		{heading: "6 of 6: which server sends mail?", prompt: "smtps://user:password@host?from=address (empty: none; not shown)", flag: "SWITCHBOARD_SMTP_URL", into: &smtp, hidden: true, check: firstfile.SMTP},
	} {
		if err := c.answer(s, &ask, q); err != nil {
			return a, err
		}
	}
	a.SMTPURL, a.Number, a.Phone = settings.Secret(smtp), firstfile.Plain(a.Number), firstfile.Plain(a.Phone)
	return a, nil
}

// answer has one question answered: by its flag, by its default, or by who is asked.
func (c initCommand) answer(s *surroundings, ask *asking, q question) error {
	terminal := false
	if file, ok := s.stdin.(*os.File); ok {
		terminal = term.IsTerminal(int(file.Fd()))
	}
	if q.heading != "" && terminal && !c.Yes {
		_, _ = fmt.Fprintln(s.stderr, "\n"+q.heading)
	}
	given := *q.into != ""
	for try := 1; ; try++ {
		if !given && !c.Yes {
			prompt := q.prompt
			if q.fallback != "" {
				prompt += " [" + q.fallback + "]"
			}
			text, err := ask.line(prompt, q.hidden)
			if err != nil && !(text == "" && !q.needed && !terminal) { // what is left out at the end has its default
				return fmt.Errorf("%s: there is no answer: give %s, or answer on the standard input", q.prompt, q.flag)
			}
			*q.into = text
		}
		*q.into = cmp.Or(*q.into, q.fallback)
		err := q.check(*q.into)
		if *q.into == "" {
			err = nil
			if q.needed {
				err = errors.New("an answer is needed")
			}
		}
		switch {
		case err == nil:
			return nil
		case given || c.Yes || !terminal || try == maxTries:
			return fmt.Errorf("%s: %w", q.flag, err)
		}
		_, _ = fmt.Fprintf(s.stderr, "  %s\n", err)
	}
}

// next says what was written and what to do now.
func (c initCommand) next(s *surroundings, path, environment string, a firstfile.Answers) error {
	_, _ = fmt.Fprintf(s.stdout, "Written, for you alone to read:\n  %s  people, teams and schedules\n  %s  settings, with a new secret key and a new API token\n\nNext:\n", path, environment)
	n := 0
	step := func(format string, args ...any) {
		n++
		_, _ = fmt.Fprintf(s.stdout, "  %d. "+format+"\n", append([]any{n}, args...)...)
	}
	step("Keep SWITCHBOARD_SECRET_KEY of %s in another place, too.", environment)
	step("Take the settings into this shell:  set -a; . %s; set +a", shellPath(environment))
	if found, _ := manifest.List(c.PluginDirOr(s.exeDir)); len(found) == 0 {
		step("Install the plugin:  switchboard plugin install ARCHIVE")
	}
	step("Start:  switchboard serve")
	address := cmp.Or(a.PublicURL, "http://"+settings.DefaultListen)
	switch {
	case a.PublicURL == "":
		step("Give the machine a public https address, and set SWITCHBOARD_PUBLIC_URL to it: until then no carrier can call it.")
	case publicurl.Check(a.PublicURL) != nil:
		step("No telephone carrier can call %s (%s): set SWITCHBOARD_PUBLIC_URL to a public https address.", a.PublicURL, publicurl.Check(a.PublicURL))
	default:
		step("Let %s lead to %s, with a reverse proxy that has a certificate.", a.PublicURL, settings.DefaultListen)
	}
	step("See what is missing:  switchboard doctor")
	how := "the API token of " + environment
	if a.Email != "" && a.SMTPURL != "" {
		how = a.Email + " or " + how
	}
	step("Open %s, log in with %s, and create an integration: its form asks for the account of the telephone service.", address, how)
	if a.Number != "" {
		step("Connect %s to it there, and call.", a.Number)
	}
	return nil
}

// shellPath is a path as a shell's dot command finds it, without looking into PATH.
func shellPath(path string) string {
	if filepath.IsAbs(path) || filepath.Dir(path) != "." {
		return "'" + path + "'"
	}
	return "./" + filepath.Base(path)
}
