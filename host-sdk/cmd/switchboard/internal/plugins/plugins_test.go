package plugins

import "testing"

func TestPluginsNeverGetTheHostsSecrets(t *testing.T) {
	for _, name := range []string{"SWITCHBOARD_SECRET_KEY", "SWITCHBOARD_API_TOKEN", "SWITCHBOARD_SMTP_URL", "SWITCHBOARD_DATABASE_URL", "SWITCHBOARD_ANYTHING_NEW"} {
		t.Setenv(name, "canary")
		if v, ok := LookupEnv(name); ok || v != "" {
			t.Errorf("a plugin that asks for %s gets it", name)
		}
	}
	t.Setenv("LIVECALL_TWILIO_API_URL", "http://127.0.0.1:8090")
	if v, ok := LookupEnv("LIVECALL_TWILIO_API_URL"); !ok || v == "" {
		t.Error("a plugin does not get what it may have")
	}
}
