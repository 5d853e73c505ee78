package platformcheck

import (
	"net"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/platformcheck/result"
)

func some(n int, d time.Duration) []time.Duration {
	var out []time.Duration
	for range n {
		out = append(out, d)
	}
	return out
}

// Forty milliseconds for each request have one reason, which is named; slow operations are named
// one by one.
func TestTimesAreExplained(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		all  []time.Duration
		by   map[string][]time.Duration
		says string
	}{
		"fast":          {some(9, 2*time.Millisecond), map[string][]time.Duration{"alert": some(9, 2*time.Millisecond)}, ""},
		"written apart": {some(9, 41*time.Millisecond), map[string][]time.Duration{"alert": some(9, 41*time.Millisecond)}, "head and body of an answer are written apart"},
		"one is slow":   {some(9, 2*time.Millisecond), map[string][]time.Duration{"alert": some(9, 2*time.Millisecond), "onCall": some(3, 300*time.Millisecond)}, "onCall takes 300 ms (median of 3)"},
		"none":          {nil, nil, ""},
	} {
		check := &result.Check{Outcome: result.Right}
		judgeTimes(check, c.all, c.by)
		if got := strings.Join(check.Says, " "); !strings.Contains(got, c.says) || (c.says == "") != (got == "") {
			t.Errorf("%s: %q, want %q", name, got, c.says)
		}
	}
}

func TestSkewIsHowFarTwoSpansAreApart(t *testing.T) {
	t.Parallel()
	at := func(s int) time.Time { return time.Unix(int64(s), 0) }
	for _, c := range []struct{ from, to, begun, end, want int }{
		{10, 11, 10, 12, 0}, {5, 6, 10, 12, 4}, {20, 21, 10, 12, 8}, {9, 10, 10, 12, 0}, {12, 13, 10, 12, 0},
	} {
		if got := skew(at(c.from), at(c.to), at(c.begun), at(c.end)); got != time.Duration(c.want)*time.Second {
			t.Errorf("from %d-%d to %d-%d: %v, want %d s", c.from, c.to, c.begun, c.end, got, c.want)
		}
	}
}

func TestTheSuiteIsPutInTheWordsOfTheProtocol(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"Apply(add_field): the platform has none; the capability AcknowledgedByUser is declared": "the command add_field: the platform has none; the capability acknowledged_by_user is declared",
		"changed the alert: Status was open, is resolved; URL was /a, is /b":                     "changed the alert: status was open, is resolved; url was /a, is /b",
		"the team DevOps was renamed": "the team DevOps was renamed",
	} {
		if got := inWords(in); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestAnUnknownNameIsNamed(t *testing.T) {
	t.Parallel()
	err := &url.Error{Op: "Get", URL: "https://platform.example.com", Err: &net.DNSError{Err: "no such host", Name: "platform.example.com"}}
	if got := unreachable(err); got != "The name platform.example.com is not known (DNS): correct the URL." {
		t.Error(got)
	}
}
