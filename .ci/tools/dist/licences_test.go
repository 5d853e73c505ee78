package main

import (
	"os"
	"strings"
	"testing"
)

// TestLicencesArePermitted looks at all that is linked on any platform.
func TestLicencesArePermitted(t *testing.T) {
	t.Parallel()
	src, err := open(repository)
	if err != nil {
		t.Fatal(err)
	}
	parts, err := linked(src, []target{{platform: "linux-amd64"}, {platform: "linux-arm64"}, {platform: "darwin-amd64"}, {platform: "darwin-arm64"}})
	if err != nil {
		t.Fatal(err)
	}
	if len(parts) < 50 {
		t.Errorf("only %d parts were looked at", len(parts))
	}
}

// TestALicenceThatIsNotPermittedIsAnError names it, and the file.
func TestALicenceThatIsNotPermittedIsAnError(t *testing.T) {
	t.Parallel()
	ours, err := os.ReadFile(repository + "/LICENSE")
	if err != nil {
		t.Fatal(err)
	}
	const another = "/usr/share/common-licenses/GPL-3"
	gpl, err := os.ReadFile(another)
	if err != nil {
		missing(t, another)
	}
	for _, tc := range []struct{ name, text, want string }{
		{"permitted", string(ours), ""},
		{"not permitted", string(gpl), "is under the licence GPL-3.0"},
		{"not recognised", "Ask the author.", "is not recognised"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			p := part{path: "example.com/part", version: "v1.0.0", texts: []text{{name: "LICENSE", data: []byte(tc.text)}}}
			err := p.recognise()
			if (err == nil) != (tc.want == "") || err != nil && !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error %v, want %q", err, tc.want)
			}
		})
	}
	if err := (&part{path: "example.com/part"}).recognise(); err == nil || !strings.Contains(err.Error(), "has no licence") {
		t.Errorf("without a licence: %v", err)
	}
}
