package logging

import (
	"bytes"
	"strings"
	"testing"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/settings"
	"github.com/livecallrouting/livecall/host-sdk/platform/goalert"
)

func TestNoLogLineShowsAPlatformsSecrets(t *testing.T) {
	t.Parallel()
	secrets := []string{"canary-token", "canary-hints", "canary-call-key", "canary-poll-key", "canary-webhook", "canary-service"}
	s := settings.Settings{LogFormat: "text"}
	s.Platform.Remote.Token, s.Platform.Remote.HintsSecrets = settings.Secret(secrets[0]), []settings.Secret{settings.Secret(secrets[1])}
	s.Platform.GoAlert.Keys = settings.GoAlertKeys{
		CallKey: goalert.Secret(secrets[2]), PollKey: goalert.Secret(secrets[3]), WebhookToken: goalert.Secret(secrets[4]),
		Services: []goalert.Service{{Key: goalert.Secret(secrets[5])}},
	}
	var out bytes.Buffer
	log := New(&out, s)
	for _, secret := range secrets {
		log.Error("a library says: " + secret)
		log.Error("it failed", "error", "with "+secret)
	}
	if strings.Contains(out.String(), "canary") {
		t.Errorf("the log shows a secret:\n%s", out.String())
	}
}
