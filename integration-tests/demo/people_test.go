package demo

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/livecallrouting/livecall/integration-tests/twiliosim/softphone"
)

func TestReadPeople(t *testing.T) {
	file := filepath.Join(t.TempDir(), "switchboard.yaml")
	write := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("users:\n  - {id: carol, name: Carol Example, phones: [\"+12025550145\", \"+12025550146\"]}\n  - {id: erin, name: Erin Example}\nteams: []\n")
	got, err := readPeople(file)
	if err != nil {
		t.Fatal(err)
	}
	want := []softphone.Person{{Name: "Carol Example", Number: "+12025550145"}, {Name: "Carol Example", Number: "+12025550146"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	write("users: {")
	if _, err := readPeople(file); err == nil {
		t.Error("a broken file is taken")
	}
	if _, err := readPeople(file + ".missing"); err == nil {
		t.Error("a missing file is taken")
	}
}
