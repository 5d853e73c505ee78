package mail_test

import (
	"testing"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/mail"
)

// A host asks from time to time whether mails would go, without sending any.
func TestCheckSignsInAndSendsNothing(t *testing.T) {
	t.Parallel()
	office := open(t, plain, &postOffice{})
	if err := office.sender(t, "smtp", "tls=none", mail.Options{}).Check(t.Context()); err != nil {
		t.Error(err)
	}
	if n := len(office.letters()); n != 0 {
		t.Errorf("%d mails were sent", n)
	}
	wrong := sender(t, "smtp://hotline:wrong@"+office.addr+"?tls=none", mail.Options{})
	if err := wrong.Check(t.Context()); integration.KindOf(err) != integration.KindUnauthorized {
		t.Errorf("with a wrong password: %v", err)
	}
}
