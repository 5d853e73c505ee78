package admin

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/health"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/inspect"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/serve"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/settings"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/wording"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded/switchboardfile"
)

// Examine asks the running host how it is, what it stands on, and each integration's plugin for its
// own check, which may ask the foreign service. Lines that need something done say what. send has a
// mail and tests to channels sent. file is the one on the disk, for where no host runs; it may be
// nil. What was said before is not repeated: lines of a plugin that end as one of the host's are
// left out.
func Examine(ctx context.Context, s settings.Settings, file *switchboardfile.File, send bool) (lines []inspect.Line) {
	stand := examineStand(ctx, s, file, send)
	lines = append(examineHost(ctx, s), stand...)
	for _, l := range examineIntegrations(ctx, s) {
		known := slices.ContainsFunc(stand, func(of inspect.Line) bool { return strings.HasSuffix(l.Text, wording.AsSentence(of.Text)) })
		if !known { // a check repeats what the host says of its public address
			lines = append(lines, l)
		}
	}
	return lines
}

// examineHost asks the running host how it is. A state that is not known here counts as an error.
func examineHost(ctx context.Context, s settings.Settings) (lines []inspect.Line) {
	say := func(level inspect.Level, format string, args ...any) {
		lines = append(lines, inspect.Line{Level: level, Text: fmt.Sprintf(format, args...)})
	}
	st, err := ReadStatus(ctx, s)
	switch {
	case err != nil:
		say(inspect.Error, "%s", err)
		return lines
	case st.Status == serve.NotRunning:
		say(inspect.Error, "no switchboard runs on this data directory: start it with switchboard serve")
		return lines
	}
	say(inspect.OK, "switchboard %s is running", st.Version)
	for _, text := range st.Unknown {
		say(inspect.Error, "%s", text)
	}
	for _, name := range slices.Sorted(maps.Keys(st.Checks)) {
		check := st.Checks[name]
		switch check.State {
		case string(health.StateOK):
			say(inspect.OK, "%s: %s", name, check.Message)
		case string(health.StateDegraded):
			say(inspect.Warning, "%s: %s %s", name, check.Message, check.Remedy)
		default:
			say(inspect.Error, "%s: %s %s", name, check.Message, check.Remedy)
		}
	}
	return lines
}

// examineIntegrations runs the check of each integration whose plugin has one. One after the other:
// their actions speak with the same foreign service.
func examineIntegrations(ctx context.Context, s settings.Settings) (lines []inspect.Line) {
	// Where no host runs, a plugin is not started just to be asked.
	if st, err := ReadStatus(ctx, s); err != nil || st.Status == serve.NotRunning {
		return nil // said already
	}
	var list []struct{ ID, Name, Plugin string }
	var plugins []struct {
		ID      string
		Actions []struct{ Name string }
	}
	_, err := ask(ctx, s, func(context.Context, settings.Settings) (any, error) {
		return nil, errors.New("the host has stopped meanwhile")
	}, func(ctx context.Context, base string) (any, error) {
		// Both lists of one host at one time.
		return nil, errors.Join(askAPI(ctx, s, base, http.MethodGet, "/integrations", nil, &list), askAPI(ctx, s, base, http.MethodGet, "/plugins", nil, &plugins))
	})
	if err != nil {
		return []inspect.Line{{Level: inspect.Error, Text: "the integrations cannot be read: " + err.Error()}}
	}
	if len(list) == 0 {
		return []inspect.Line{{Level: inspect.Warning, Text: "there is no integration: create one under Settings, Integrations"}}
	}
	checks := map[string]bool{}
	for _, p := range plugins {
		for _, a := range p.Actions {
			checks[p.ID] = checks[p.ID] || a.Name == serve.CheckAction
		}
	}
	for _, in := range list {
		at := fmt.Sprintf("integration %s (%s): ", in.Name, in.ID)
		if !checks[in.Plugin] {
			lines = append(lines, inspect.Line{Level: inspect.OK, Text: at + "the plugin " + in.Plugin + " has no check of its own"})
			continue
		}
		result, err := Ask(ctx, s, in.ID, serve.CheckAction, nil)
		if err != nil {
			lines = append(lines, inspect.Line{Level: inspect.Error, Text: at + err.Error()})
		}
		for _, l := range result.Lines {
			lines = append(lines, inspect.Line{Level: levelOf(l), Text: at + l.Text})
		}
	}
	return lines
}

// levelOf is the level of a line of an action. An unknown one counts as an error, so that it is
// looked at.
func levelOf(l integration.ActionLine) inspect.Level {
	switch l.Level {
	case "ok":
		return inspect.OK
	case "info":
		return inspect.Note
	case "warning":
		return inspect.Warning
	}
	return inspect.Error
}
