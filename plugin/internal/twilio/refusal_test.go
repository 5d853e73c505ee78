package twilio

import (
	"context"
	"strings"
	"testing"

	"github.com/twilio/twilio-go/client"
)

func TestTheClassOfARefusalFollowsFromTheStatus(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		status, code int
		want         Refusal
		say          string
	}{
		{400, 21211, RefusedNumber, "Correct the person's phone number."},
		{400, 21215, RefusedNumber, "Geographic permissions"},
		{400, 21202, RefusedNumber, "21202"},
		{400, 21262, RefusedNumber, "21262"},
		{400, 21263, RefusedNumber, "21263"},
		{400, 21266, RefusedNumber, "21266"},
		{400, 13228, RefusedNumber, "13228"},
		{400, 99999, RefusedNumber, "99999"}, // nobody has heard of it
		{404, 20404, RefusedNumber, "20404"},
		{401, 20003, RefusedAccount, "API Key"},
		{403, 10001, RefusedAccount, "suspended"},
		{403, 20005, RefusedAccount, "suspended"},
		{403, 0, RefusedAccount, "403"},
		{403, 21215, RefusedNumber, "Geographic permissions"},
		{403, 13227, RefusedNumber, "Geographic permissions"},
		{400, 21203, RefusedNumber, "international"},
		{400, 21210, RefusedAccount, "Caller ID"},
		{400, 21212, RefusedAccount, "Caller ID"},
		{429, 20429, RefusedNot, "20429"},
		{500, 20500, RefusedNot, "20500"},
		{503, 0, RefusedNot, "503"},
	} {
		err := mapError(context.Background(), "start a call", c.status, &client.TwilioRestError{Status: c.status, Code: c.code, Message: "what Twilio says"})
		class, code, sentence := Refused(err)
		if class != c.want || !strings.Contains(sentence, c.say) || (c.code != 0) != (code != "") {
			t.Errorf("%d/%d: class %d, code %q, %q; want class %d and %q", c.status, c.code, class, code, sentence, c.want, c.say)
		}
	}
}
