package api_test

import (
	"strings"
	"testing"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/hosttest"
)

// Statistics are answered as JSON and as CSV; what cannot be read of a question is refused by its
// name.
func TestStatisticsOfCalls(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	in := create(t, h)
	call(t, h, in, "CA01")
	endCall(t, h, in, "CA01")
	call(t, h, in, "CA02") // in progress
	var r object
	hosttest.Eventually(t, "the ended call is counted", func() bool {
		h.Want(200, "GET", "/api/v1/statistics?zone=Europe/Vienna", nil).JSON(t, &r)
		return r["total"].(object)["calls"] == 1.0
	})
	wantFields(t, r["total"].(object), object{"hang_ups": 1.0, "answered": 0.0, "messages": 0.0, "missed": 0.0, "rejected": 0.0, "seconds_to_person": nil})
	wantFields(t, r, object{"time_zone": "Europe/Vienna", "team": ""})
	if weeks := r["weeks"].([]any); len(weeks) != 12 || weeks[0].(object)["teams"].([]any)[0].(object)["calls"] != 1.0 {
		t.Errorf("the weeks are %v", weeks)
	}
	// The file's only team has its time zone.
	h.Want(200, "GET", "/api/v1/statistics", nil).JSON(t, &r)
	wantFields(t, r, object{"time_zone": "America/New_York"})

	csv := h.Want(200, "GET", "/api/v1/statistics?format=csv", nil)
	if lines := strings.Split(string(csv.Body), "\r\n"); len(lines) != 3 || !strings.HasPrefix(lines[0], "week,from,to,") || !strings.HasSuffix(lines[1], ",1,0,0,1,0,0,,") {
		t.Errorf("the CSV is %q", lines)
	}
	for path, want := range map[string]string{
		"?from=yesterday": `from: the day \"yesterday\" cannot be read`, "?zone=Vienna": "zone: there is no time zone", "?format=xls": "format must be json or csv",
	} {
		if got := h.Want(400, "GET", "/api/v1/statistics"+path, nil); !strings.Contains(string(got.Body), want) {
			t.Errorf("%s: %s", path, got.Body)
		}
	}
}
