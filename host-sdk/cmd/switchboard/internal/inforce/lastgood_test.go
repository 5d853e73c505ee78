package inforce

import (
	"strings"
	"testing"

	"github.com/livecallrouting/livecall/host-sdk/platform/embedded/switchboardfile"
)

// The command that lists the errors of a file can be pasted, whatever the file is called.
func TestNotInForceNamesACommandToPaste(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{
		"/etc/livecall/switchboard.yaml": "switchboard config check --config /etc/livecall/switchboard.yaml lists",
		"/home/o'neill/my file.yaml":     `switchboard config check --config '/home/o'\''neill/my file.yaml' lists`,
	} {
		if got := NotInForce(path, []switchboardfile.Problem{{Message: "teams: must be a list"}}); !strings.Contains(got, want) {
			t.Errorf("NotInForce(%q) is %q, want %q in it", path, got, want)
		}
	}
}
