package setup

import (
	"cmp"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/cli/command"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/firstfile"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/settings"
	"github.com/livecallrouting/livecall/host-sdk/store/seal"
)

// Init is init. The address of the mail server has no flag, as it may hold a password, which
// other users can read in command lines.
type Init struct {
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
	Plugin      string `name:"plugin" placeholder:"ID" help:"Plugin that takes the calls, where several are installed (default: that is chosen on the pages)."`
	Yes         bool   `name:"yes" help:"Ask nothing: flags and defaults are the answers. The mail server is that of SWITCHBOARD_SMTP_URL, if it is set."`
}

// Help is shown by init --help.
func (Init) Help() string {
	return "Asks six questions, and writes a switchboard file and an environment file with a new secret key and a new API token, both for their owner alone. Overwrites nothing. What a flag answers is not asked. Without a terminal, answers are read from the standard input, a line each. " +
		"The sixth question is the plugin's, where one is installed (of several, --plugin or an answer chooses one): what its form needs, such as an account and its keys. With the answers the first integration is made in the data directory, where they are encrypted; they are tried at the telephone service first. Environment variables answer it beforehand: " + optionVariable + " and the name of the option, such as " + optionVariable + "API_KEY. Whoever leaves it empty fills in the form on the pages."
}

// maxTries is how often a terminal is asked again after an answer that cannot be used.
const maxTries = 5

// question is one line to be answered. It is answered by its flag, by the fallback where that is
// empty, or by a line of input.
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

// Run asks, writes, and says what comes next. A failure to make the integration comes after the
// files were written: they stay, what comes next is said all the same, and the status is 1.
func (c Init) Run(s *command.Surroundings) error {
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
	ask := &asking{in: s.Stdin, out: s.Stderr}
	answers, plugin, err := c.answers(s, ask)
	if err != nil {
		return err
	}
	if err := answers.Check(); err != nil {
		return err
	}
	// What init writes must be a file that serve takes: it is read as serve would before it is
	// written.
	text := answers.File()
	if err := firstfile.Verify(path, text); err != nil {
		return err
	}
	key, token := seal.NewKey(), rand.Text()
	// Both files or neither.
	err = firstfile.Write(map[string][]byte{path: text, environment: answers.Environment(folder, filepath.Base(path), key, token)})
	if err != nil {
		return err
	}
	made := error(nil)
	if plugin.id != "" {
		resolved, err := settings.Resolve(settings.Flags{
			Config: c.Config, Plugins: c.Plugins, DataDir: filepath.Join(folder, settings.DefaultDataDir),
			SecretKey: settings.Secret(key), APIToken: settings.Secret(token), PublicURL: answers.PublicURL,
		}, nil, s.ExeDir)
		if err == nil {
			err = c.makeIntegration(s, ask, answers, plugin, resolved)
		}
		if made = err; made != nil {
			_, _ = fmt.Fprintf(s.Stderr, "switchboard: no integration was made: %s\n", strings.ReplaceAll(made.Error(), "\n", "; "))
		}
	}
	if err := c.next(s, path, environment, answers, plugin.id != "" && made == nil); err != nil {
		return err
	}
	if made != nil {
		return command.ErrSaid
	}
	return nil
}

// answers asks for what no flag says, and for what the plugin needs. An answer that is wrong ends
// the command before anything was written.
func (c Init) answers(s *command.Surroundings, ask *asking) (firstfile.Answers, pluginAnswers, error) {
	a := firstfile.Answers{Team: c.Team, TimeZone: c.TimeZone, PublicURL: c.PublicURL, Number: c.Number, Person: c.Person, Phone: c.Phone, Email: c.Email}
	smtp := os.Getenv("SWITCHBOARD_SMTP_URL")
	installed, err := c.installed(s)
	if err != nil {
		return a, pluginAnswers{}, err
	}
	// For "2 of 6". The plugin's questions count as one.
	all := 5
	if len(installed) > 0 {
		all++
	}
	asked := 0
	heading := func(text string) string {
		asked++
		return fmt.Sprintf("%d of %d: %s", asked, all, text)
	}
	for _, q := range []question{
		{heading: heading("whom do callers reach?"), prompt: "Name of the team, as callers hear it", flag: "--team", into: &a.Team, fallback: "On Call", check: firstfile.Name},
		{prompt: "Its time zone", flag: "--time-zone", into: &a.TimeZone, fallback: firstfile.LocalZone(), check: firstfile.Zone},
		{heading: heading("at which https address does the Internet reach this machine?"), prompt: "Public address, such as https://hotline.example.com (empty: not yet)", flag: "--public-url", into: &a.PublicURL, check: firstfile.Public},
		{heading: heading("which number do callers dial?"), prompt: "Number of the hotline, such as +12025550100 (empty: not yet)", flag: "--number", into: &a.Number, check: firstfile.Number},
		{heading: heading("who is on call first?"), prompt: "Name", flag: "--person", into: &a.Person, needed: true, check: firstfile.Name},
		{prompt: "Phone, such as +12025550143", flag: "--phone", into: &a.Phone, needed: true, check: firstfile.Number},
		{prompt: "E-mail address, with which they also log in (empty: none)", flag: "--email", into: &a.Email, check: firstfile.Email},
		{heading: heading("which server sends mail?"), prompt: "smtps://user:password@host?from=address (empty: none; not shown)", flag: "SWITCHBOARD_SMTP_URL", into: &smtp, hidden: true, check: firstfile.SMTP},
	} {
		if err := c.answer(s, ask, q); err != nil {
			return a, pluginAnswers{}, err
		}
	}
	// People type numbers with blanks and brackets.
	a.SMTPURL, a.Number, a.Phone = settings.Secret(smtp), firstfile.Plain(a.Number), firstfile.Plain(a.Phone)
	one, number, err := c.choosePlugin(s, ask, fmt.Sprintf("%d of %d", all, all), installed)
	if one == nil {
		return a, pluginAnswers{}, err
	}
	plugin, err := c.askPlugin(s, ask, number, *one)
	return a, plugin, err
}

// answer has one question answered: by its flag, by its default, or by who is asked. It leaves the
// answer in q.into. A wrong one is asked for again at a terminal alone: a script cannot answer
// better.
func (c Init) answer(s *command.Surroundings, ask *asking, q question) error {
	typed := terminal(s)
	if q.heading != "" && typed && !c.Yes {
		_, _ = fmt.Fprintln(s.Stderr, "\n"+q.heading)
	}
	given := *q.into != ""
	for try := 1; ; try++ {
		// --yes leaves what no flag says to its default.
		if !given && !c.Yes {
			prompt := q.prompt
			if q.fallback != "" {
				prompt += " [" + q.fallback + "]"
			}
			text, err := ask.line(prompt, q.hidden)
			// What is left out at the end has its default.
			if err != nil && !(text == "" && !q.needed && !typed) {
				return fmt.Errorf("%s: there is no answer: give %s, or answer on the standard input", q.prompt, q.flag)
			}
			*q.into = text
		}
		*q.into = cmp.Or(*q.into, q.fallback)
		err := q.check(*q.into)
		// Empty means none: there is nothing to check, unless an answer is needed.
		if *q.into == "" {
			err = nil
			if q.needed {
				err = errors.New("an answer is needed")
			}
		}
		switch {
		case err == nil:
			return nil
		case given || c.Yes || !typed || try == maxTries:
			return fmt.Errorf("%s: %w", q.flag, err)
		}
		_, _ = fmt.Fprintf(s.Stderr, "  %s\n", err)
	}
}
