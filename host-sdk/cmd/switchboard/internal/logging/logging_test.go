package logging

import (
	"errors"
	"log/slog"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/settings"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/wording"
)

func TestLogHidesSecrets(t *testing.T) {
	t.Parallel()
	s := settings.Settings{
		SecretKey: "canary-key-1234", APIToken: "canary-token-1234", LogFormat: "json",
		DatabaseURL: "postgres://hotline:canary%2Fdatabase@db.example.com/x", SMTPURL: "smtp://hotline:canary-mail@mail.example.com",
	}
	address, err := url.Parse(s.DatabaseURL.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	for _, format := range []string{"json", "text"} {
		var out strings.Builder
		s.LogFormat = format
		log := New(&out, s).With("with", "canary-key-1234")
		log.Error("cannot connect with canary-token-1234", "error", errors.New("dial canary/database"), "address", address,
			"list", []string{"canary-mail"}, slog.Group("group", "password", "canary-mail"), "number", 7, "took", time.Second, "nothing", nil)
		if got := out.String(); strings.Contains(got, "canary") {
			t.Fatalf("%v: contains %q:\n%s", format, "canary", got)
		}
		if got := out.String(); !strings.Contains(got, wording.Hidden) {
			t.Fatalf("out.String() does not contain %q:\n%s", wording.Hidden, got)
		}
		if got := out.String(); !strings.Contains(got, "7") {
			t.Fatalf("the rest stays: does not contain %q:\n%s", "7", got)
		}
	}
	var out strings.Builder
	New(&out, settings.Settings{}).Debug("quiet")
	if got := out.String(); len(got) != 0 {
		t.Fatalf("out.String() is not empty: %v", got)
	}
	New(&out, settings.Settings{LogLevel: slog.LevelDebug}).Debug("loud", "x", "y")
	if got := out.String(); !strings.Contains(got, "msg=loud x=y") {
		t.Fatalf("out.String() does not contain %q:\n%s", "msg=loud x=y", got)
	}
}
