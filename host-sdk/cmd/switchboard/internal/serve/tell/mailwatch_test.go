package tell

import (
	"context"
	"strings"
	"testing"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/health"
	"github.com/livecallrouting/livecall/host-sdk/engine"
	"github.com/livecallrouting/livecall/host-sdk/integration"
)

type mailServerOfTest struct{ err error }

func (m mailServerOfTest) Send(context.Context, engine.OutgoingMail) error { return m.err }
func (m mailServerOfTest) Check(context.Context) error                     { return m.err }

func TestMailIsWellAgainWhenTheServerAnswers(t *testing.T) {
	t.Parallel()
	down := integration.Errorf(integration.KindUnavailable, "connection refused")
	server := &struct{ mailServerOfTest }{mailServerOfTest{down}}
	w := NewMailWatch(server, clock.System())
	if got := w.Check(); got.State != health.StateOK {
		t.Errorf("before anything was sent: %+v", got)
	}
	send := w.Mailer(MailOfCall)
	_ = send.Send(t.Context(), engine.OutgoingMail{})
	if got := w.Check(); got.State != health.StateDegraded || !strings.Contains(got.Message, "connection refused") {
		t.Errorf("%+v", got)
	}
	for _, answer := range []error{
		integration.Errorf(integration.KindInvalid, "no such mailbox"),
		&integration.Error{Kind: integration.KindUnavailable, Code: "451", Message: "greylisted"},
	} {
		w.note(down)
		server.err = answer
		_ = send.Send(t.Context(), engine.OutgoingMail{})
		if got := w.Check(); got.State != health.StateOK {
			t.Errorf("%v is an answer, of one mailbox: %+v", answer, got)
		}
	}
	for _, answer := range []error{
		&integration.Error{Kind: integration.KindUnavailable, Code: "421", Message: "closing"},
		&integration.Error{Kind: integration.KindUnavailable, Code: "554", Message: "no service for you"},
		&integration.Error{Kind: integration.KindUnauthorized, Code: "550", Message: "you do not relay"},
	} {
		w.note(nil)
		server.err = answer
		_ = send.Send(t.Context(), engine.OutgoingMail{})
		if got := w.Check(); got.State != health.StateDegraded {
			t.Errorf("%v is no mailbox's answer: %+v", answer, got)
		}
	}
	if NewMailWatch(nil, nil) == nil || (*MailWatch)(nil).Mailer(MailOfCall) != nil {
		t.Error("without a mail server there is a mailer")
	}
}
