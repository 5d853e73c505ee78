package setup

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/admin"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/cli/command"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/firstfile"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/settings"
	"github.com/livecallrouting/livecall/host-sdk/engine"
	"github.com/livecallrouting/livecall/host-sdk/form"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/manifest"
	"github.com/livecallrouting/livecall/host-sdk/platform"
)

// optionVariable is how the name of an environment variable begins that answers a question of the
// plugin. A flag would show secrets to other users.
const optionVariable = "SWITCHBOARD_OPTION_"

// pluginAnswers are what the plugin's form needs. Which questions there are is the plugin's
// business. They hold secrets, and are printed nowhere.
type pluginAnswers struct {
	id     string // of the plugin; "": nothing was answered
	fields []form.Field
	values map[string]string // by key
}

// installed are the plugins of which one may be asked what it needs: the one that --plugin names,
// else all. Folders that are no plugin are passed over; plugin list says what is wrong with them.
func (c Init) installed(s *command.Surroundings) ([]manifest.Installed, error) {
	found, _ := manifest.List(c.PluginDirOr(s.ExeDir))
	if c.Plugin == "" {
		return found, nil
	}
	for _, p := range found {
		if p.Manifest.ID == c.Plugin {
			return []manifest.Installed{p}, nil
		}
	}
	return nil, fmt.Errorf("--plugin: %.60q is not installed; installed: %s", c.Plugin, cmp.Or(strings.Join(idsOf(found), ", "), "none"))
}

// choosePlugin is the plugin that takes the calls, and how its questions are headed; nil: none is
// asked now. Of several, whoever answers chooses one.
func (c Init) choosePlugin(s *command.Surroundings, ask *asking, number string, of []manifest.Installed) (*manifest.Installed, string, error) {
	switch {
	case len(of) == 0:
		return nil, "", nil
	case len(of) == 1:
		return &of[0], number, nil
	// Secrets of one plugin must not be given to another by guessing.
	case c.Yes && optionsGiven():
		return nil, "", fmt.Errorf("%s… is set, and several plugins are installed: name the one that is meant with --plugin: %s", optionVariable, strings.Join(idsOf(of), ", "))
	case c.Yes:
		return nil, "", nil
	}
	var chosen *manifest.Installed
	id, notes := "", []string{"empty: later, on the pages"}
	for _, p := range of {
		notes = append(notes, p.Manifest.ID+": "+p.Manifest.Name)
	}
	err := c.answer(s, ask, question{
		heading: number + ": which plugin takes the calls?", prompt: "Plugin (" + strings.Join(notes, "; ") + ")", flag: "--plugin", into: &id,
		check: func(id string) error {
			i := slices.IndexFunc(of, func(p manifest.Installed) bool { return p.Manifest.ID == id })
			if i < 0 {
				return fmt.Errorf("want one of %s", strings.Join(idsOf(of), ", "))
			}
			chosen = &of[i]
			return nil
		},
	})
	return chosen, "", err
}

// idsOf are the ids of plugins.
func idsOf(plugins []manifest.Installed) (ids []string) {
	for _, p := range plugins {
		ids = append(ids, p.Manifest.ID)
	}
	return ids
}

// optionsGiven says whether the environment answers a question of a plugin.
func optionsGiven() bool {
	return slices.ContainsFunc(os.Environ(), func(e string) bool { return strings.HasPrefix(e, optionVariable) })
}

// askPlugin asks the questions of the plugin, headed by number where it is not "". Whoever leaves
// the first one empty answers none of them now. A plugin that cannot say what it needs stops
// nothing: the pages ask for it later.
func (c Init) askPlugin(s *command.Surroundings, ask *asking, number string, p manifest.Installed) (a pluginAnswers, err error) {
	if c.Yes && !optionsGiven() {
		return a, nil
	}
	title, fields, err := admin.FirstFields(s.Ctx, p)
	if err != nil {
		_, _ = fmt.Fprintf(s.Stderr, "The plugin cannot say what it needs: %s\n", err)
		return a, nil
	}
	a.values = map[string]string{}
	for i, f := range fields {
		text, heading := os.Getenv(optionVariable+strings.ToUpper(f.Key)), ""
		if i == 0 {
			heading = strings.TrimPrefix(number+": "+title, ": ")
		}
		if err := c.answer(s, ask, pluginQuestion(f, heading, i > 0, &text)); err != nil {
			return a, err
		}
		// The first answer empty: the rest is for the pages.
		if text == "" && i == 0 {
			return pluginAnswers{}, nil
		}
		if text != "" {
			a.values[f.Key] = text
		}
	}
	if len(fields) > 0 {
		a.id, a.fields = p.Manifest.ID, fields
	}
	return a, nil
}

// pluginQuestion is a field of the plugin's form as a question. begun: the first one was answered,
// so that what the form requires is needed from here on.
func pluginQuestion(f form.Field, heading string, begun bool, into *string) question {
	prompt := f.Title
	if f.Placeholder != "" {
		prompt += ", such as " + f.Placeholder
	}
	var notes []string
	switch {
	case !begun:
		notes = append(notes, "empty: later, on the pages")
	case !f.Required:
		notes = append(notes, "empty: none")
	}
	for _, choice := range f.Choices {
		notes = append(notes, choice.Value+": "+choice.Title)
	}
	if f.Secret {
		notes = append(notes, "not shown")
	}
	if len(notes) > 0 {
		prompt += " (" + strings.Join(notes, "; ") + ")"
	}
	return question{
		heading: heading, prompt: prompt, flag: optionVariable + strings.ToUpper(f.Key), into: into,
		needed: begun && f.Required, hidden: f.Secret,
		check: func(text string) error { _, err := optionValue(f, text); return err },
	}
}

// optionValue is an answer as the plugin's options have it. Errors do not repeat it, as it may be
// secret. Its type is what JSON makes of it: text, number, boolean or a list of texts.
func optionValue(f form.Field, text string) (any, error) {
	switch f.Type {
	case "integer", "number":
		n, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return nil, errors.New("want a number")
		}
		return n, nil
	case "boolean":
		on, err := strconv.ParseBool(text)
		if err != nil {
			return nil, errors.New("want true or false")
		}
		return on, nil
	case "array":
		return strings.Fields(strings.ReplaceAll(text, ",", " ")), nil
	}
	if len(f.Choices) > 0 && !slices.ContainsFunc(f.Choices, func(c form.Choice) bool { return c.Value == text }) {
		return nil, errors.New("want one of the values that are listed")
	}
	return text, nil
}

// draft is the first integration: all calls go to the one team. Fields without an answer are left
// out, so that the plugin's defaults hold.
func (a pluginAnswers) draft(first firstfile.Answers) (engine.Draft, error) {
	options := map[string]any{}
	for _, f := range a.fields {
		if text, ok := a.values[f.Key]; ok {
			value, err := optionValue(f, text)
			if err != nil {
				return engine.Draft{}, err
			}
			options[f.Key] = value
		}
	}
	text, err := json.Marshal(options)
	return engine.Draft{
		Plugin: a.id, Name: first.Team, Enabled: true, Options: text, Online: true,
		Destinations: []platform.Ref{{Kind: integration.DestinationTeam, ID: first.TeamID()}},
	}, err
}

// makeIntegration makes the first integration, and asks again for what the plugin refuses. Only a
// person at a terminal is asked again, and at most maxTries times.
func (c Init) makeIntegration(s *command.Surroundings, ask *asking, first firstfile.Answers, a pluginAnswers, resolved settings.Settings) error {
	for try := 1; ; try++ {
		draft, err := a.draft(first)
		if err != nil {
			return err
		}
		// An interrupt must not leave half an integration: the account at the telephone service may
		// be changed by then.
		warnings, err := admin.MakeFirst(context.WithoutCancel(s.Ctx), resolved, draft)
		for _, w := range warnings {
			_, _ = fmt.Fprintf(s.Stderr, "  %s\n", w.Message)
		}
		var refused *engine.ProblemsError
		if !errors.As(err, &refused) || !terminal(s) || c.Yes || try == maxTries {
			return err
		}
		again := false
		for _, f := range a.fields {
			i := slices.IndexFunc(refused.Problems, func(p integration.Problem) bool { return p.Path == f.Key })
			if i < 0 {
				continue
			}
			again = true
			_, _ = fmt.Fprintf(s.Stderr, "  %s\n", refused.Problems[i].Message)
			text := ""
			if err := c.answer(s, ask, pluginQuestion(f, "", true, &text)); err != nil {
				return err
			}
			a.values[f.Key] = text
		}
		// What was refused is in no field of the form: asking again would not help.
		if !again {
			return err
		}
	}
}
