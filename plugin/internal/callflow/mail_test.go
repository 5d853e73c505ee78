package callflow

import (
	"testing"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/effect"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/event"
)

func TestAMessageThatNobodyIsMailedAboutIsAFindingAndALineOfTheStory(t *testing.T) {
	t.Parallel()
	conf := withVoicemail()
	conf.Unmailed = "this host has no mail server"
	c := newCall(t, conf)
	c.facts.Destinations = nil
	c.arrive()
	c.facts.Destinations = []integration.Destination{devops}
	leaveMessage(c)
	c.logged("Nobody was mailed about the message, because this host has no mail server.")
	found := of[integration.Finding](c.all)
	found = found[max(0, len(found)-1):]
	if len(found) != 1 || found[0].Code != effect.FindingUnmailed || found[0].Field != "voicemail_emails" || found[0].Severity != integration.FindingError {
		t.Errorf("findings %+v", found)
	}
}

func TestAMailThatIsRefusedIsAFindingAndALineOfTheStory(t *testing.T) {
	t.Parallel()
	c := voicemailOffered(t)
	leaveMessage(c)
	c.do(event.Event{Kind: event.Mailed, Result: event.Failed, Detail: "ops@example.com: 550 no such user"})
	c.logged("The mail about the message was not delivered: ops@example.com: 550 no such user.")
	found := of[integration.Finding](c.effects)
	if len(found) != 1 || found[0].Code != effect.FindingMailRefused || found[0].Field != "voicemail_emails" || !contains(found[0].Message, "550") {
		t.Errorf("findings %+v", found)
	}
}

func TestAMailThatWasSentIsALineOfTheStory(t *testing.T) {
	t.Parallel()
	c := voicemailOffered(t)
	leaveMessage(c)
	for _, line := range commands(c.all, integration.AlertLog) {
		if contains(line.Text, "was mailed") {
			t.Errorf("the story says %q before the mail server has it", line.Text)
		}
	}
	c.do(event.Event{Kind: event.Mailed, Result: event.Done, Detail: "dave@example.com"})
	c.logged("The message was mailed to dave@example.com.")
	if found := of[integration.Finding](c.effects); len(found) != 0 {
		t.Errorf("findings %+v", found)
	}
}

func TestTheNextMailClearsTheFindingsAboutMail(t *testing.T) {
	t.Parallel()
	c := voicemailOffered(t)
	c.facts.Findings = []integration.Finding{{Code: effect.FindingMailRefused, Severity: integration.FindingError}, {Code: effect.FindingLoop, Severity: integration.FindingError}}
	c.all = nil
	leaveMessage(c)
	cleared := ""
	for _, f := range of[integration.Finding](c.all) {
		if f.Severity == integration.FindingClear {
			cleared += f.Code
		}
	}
	same(t, cleared, effect.FindingMailRefused)
}
