package api_test

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/hosttest"
)

func TestSavingWarnsOfAPhoneThatIsTheHotlineItself(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	in := create(t, h)
	call(t, h, in, "CA1") // to +12025550199
	path := "/api/v1/integrations/" + in["id"].(string)
	h.Want(200, "PUT", path, draft()).JSON(t, &in)
	wantFields(t, in, object{"numbers": []any{"+12025550199"}, "warnings": []any{}})

	if err := os.WriteFile(h.Platform.File().Path, []byte(strings.ReplaceAll(hosttest.File, "+12025550144", "+12025550199")), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := h.File.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	h.Want(200, "PUT", path, draft()).JSON(t, &in)
	want := []any{object{"path": "destinations", "code": "own_number",
		"message": "Bob Example's phone +1 202-555-0199 is a number of this hotline, which would call itself: give Bob Example another phone"}}
	if diff := cmp.Diff(want, in["warnings"]); diff != "" {
		t.Errorf("warnings (-want +got):\n%s", diff)
	}
}
