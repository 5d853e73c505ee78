package tell

import (
	"strings"
	"testing"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/hosttest"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/ways"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded/switchboardfile"
)

// What is said at the start is what will happen at night, with a mail server and without.
func TestTheStartSaysWhoIsNotTold(t *testing.T) {
	t.Parallel()
	const ntfy = `notify: ["ntfy://ntfy.example.com/canary"], `
	all := strings.NewReplacer("id: alice, ", "id: alice, "+ntfy, "id: bob, ", "id: bob, "+ntfy).Replace(hosttest.File)
	channel := strings.Replace(hosttest.File, "    name: DevOps\n", "    name: DevOps\n    channels: [\"ntfy://ntfy.example.com/canary\"]\n", 1)
	// No phone rings for somebody who has none, so nothing is said to reach them by phone.
	never := strings.Replace(hosttest.File, "users:\n", "users:\n  - {id: frank, name: Frank Example}\n", 1)
	for _, c := range []struct {
		file  string
		mails bool
		want  string
	}{
		{all, true, ""},
		{hosttest.File, true, "by phone alone alerts reach Bob Example. Give them an email"},
		{hosttest.File, false, "alerts and voicemail messages reach people by phone alone"},
		{all, false, "voicemail messages reach people by phone alone"},
		{channel, false, "voicemail messages reach people by phone, and the teams' channels; and by phone alone alerts reach Alice Example, Bob Example"},
		{never, true, "by phone alone alerts reach Bob Example; and in no way at all, as they have no phone either, alerts reach Frank Example. Give"},
		{never, false, "alerts and voicemail messages reach people by phone alone; and in no way at all, as they have no phone either, alerts reach Frank Example. Set"},
	} {
		file, problems := switchboardfile.Parse("switchboard.yaml", []byte(c.file))
		if file == nil {
			t.Fatal(problems)
		}
		cfg := ways.Config{File: func() *switchboardfile.File { return file }, Clock: clock.System()}
		if c.mails {
			cfg.Mailer = &mailbox{}
		}
		got := Unreached(ways.New(cfg), file, c.mails)
		if c.want == "" && got != "" || !strings.Contains(got, c.want) || strings.Contains(got, "canary") {
			t.Errorf("with a mail server %v: %q, want %q", c.mails, got, c.want)
		}
	}
	if got := Unreached(nil, nil, false); !strings.Contains(got, "voicemail messages are mailed to nobody") {
		t.Errorf("in front of another platform: %q", got)
	}
}
