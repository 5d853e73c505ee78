package launcher_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/launcher"
)

func ExampleLaunch() {
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	ctx := context.Background()
	plugin, err := launcher.Launch(ctx, launcher.Config{
		Dir:    "plugins/livecall",
		Logger: log,
		OnChange: func(s launcher.Status) {
			log.Info("plugin", "state", s.State, "restarts", s.Restarts)
		},
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err) // one line: which plugin, what is wrong, what to do
		return
	}
	defer plugin.Stop(ctx)

	ctx, cancel := context.WithTimeout(ctx, 9*time.Second)
	defer cancel()
	outcome, err := plugin.HandleWebhook(ctx, integration.WebhookRequest{Method: "POST", Path: "/"})
	if err != nil {
		log.Error("no answer", "kind", integration.KindOf(err), "error", err)
		return
	}
	log.Info("decided", "commands", len(outcome.Alert), "tasks", len(outcome.Tasks))
}
