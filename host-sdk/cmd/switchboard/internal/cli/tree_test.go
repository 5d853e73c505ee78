package cli

import (
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

// withoutJSON are the commands that have no --json, with the reason.
var withoutJSON = map[string]string{
	"serve":                  "it runs until it is stopped; its log has a format of its own",
	"init":                   "it asks a person, and writes files",
	"config sample":          "it prints a file",
	"completion":             "it prints a script",
	"man":                    "it prints a page",
	"platform openapi":       "it prints a document in JSON",
	"platform setup goalert": "it asks a person, and writes files",
}

// leaves are the commands of the program by their path.
func leaves(t *testing.T) map[string]*kong.Node {
	t.Helper()
	var c commands
	parser, err := kong.New(&c, kong.Name("switchboard"))
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]*kong.Node{}
	for _, leaf := range parser.Model.Leaves(true) {
		found[strings.TrimPrefix(leaf.FullPath(), "switchboard ")] = leaf
	}
	return found
}

// Every command that answers a question or changes something understands --json.
func TestEveryCommandUnderstandsJSON(t *testing.T) {
	t.Parallel()
	all := leaves(t)
	for path, leaf := range all {
		has := slices.ContainsFunc(leaf.Flags, func(f *kong.Flag) bool { return f.Name == "json" })
		if reason := withoutJSON[path]; has == (reason != "") {
			t.Errorf("switchboard %s: --json is %v, and the reason to have none is %q", path, has, reason)
		}
	}
	for path := range withoutJSON {
		if all[path] == nil {
			t.Errorf("there is no command %q", path)
		}
	}
}
