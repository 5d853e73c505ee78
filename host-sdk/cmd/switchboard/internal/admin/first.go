package admin

import (
	"context"
	"errors"
	"log/slog"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/datadir"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/plugins"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/serve"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/settings"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/wording"
	"github.com/livecallrouting/livecall/host-sdk/engine"
	"github.com/livecallrouting/livecall/host-sdk/form"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/launcher"
	"github.com/livecallrouting/livecall/host-sdk/manifest"
)

// FirstFields are the fields of a plugin's form without which no integration can be made, or that
// its schema has asked for first, with the title of their group. The plugin is started once, and
// ended. The command init asks for them.
func FirstFields(ctx context.Context, p manifest.Installed) (title string, fields []form.Field, err error) {
	defer func() { err = wording.ForPeople(settings.Settings{}, err) }()
	plugin, err := launcher.Launch(ctx, launcher.Config{Dir: p.Dir, LookupEnv: plugins.LookupEnv, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return "", nil, err
	}
	defer plugin.Stop(ctx)
	schema, err := plugin.OptionsSchema(ctx, integration.OptionsSchemaRequest{})
	if err != nil {
		return "", nil, err
	}
	parsed, err := form.Parse(schema.Schema)
	if err != nil {
		return "", nil, err
	}
	title = parsed.Title
	for _, g := range parsed.Groups {
		for _, f := range g.Fields {
			if !f.First() {
				continue
			}
			if len(fields) == 0 && g.Title != "" {
				title = g.Title
			}
			fields = append(fields, f)
		}
	}
	return title, fields, nil
}

// MakeFirst makes the first integration of a new data directory, on which no host runs yet, as a
// host would on its pages. A draft that the plugin refuses is an [engine.ProblemsError]; warnings
// are in words. Errors hold no secret. Callers give complete settings, of a folder that no host
// uses.
func MakeFirst(ctx context.Context, s settings.Settings, draft engine.Draft) (warnings []integration.Problem, err error) {
	// A refused draft keeps its type, as the caller asks again for the fields that it names.
	defer func() {
		if refused := (*engine.ProblemsError)(nil); !errors.As(err, &refused) {
			err = wording.ForPeople(s, err)
		}
	}()
	if err := datadir.Prepare(s.DataDir); err != nil {
		return nil, err
	}
	release, err := datadir.Lock(s.DataDir)
	if err != nil {
		return nil, err
	}
	defer release()
	if err := s.KeepSecrets(); err != nil {
		return nil, err
	}
	err = serve.WithEngine(ctx, s, nil, func(eng *engine.Engine) error {
		_, warnings, err = eng.Configure(ctx, "", 0, draft)
		return err
	})
	return warnings, err
}
