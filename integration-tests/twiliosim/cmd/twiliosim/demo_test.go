package main

import (
	"bytes"
	"context"
	"regexp"
	"strings"
	"testing"

	"github.com/livecallrouting/livecall/integration-tests/demo"
	"github.com/livecallrouting/livecall/integration-tests/twiliosim"
)

// TestPrintedCommands: what the demonstration says to type are commands, flags and scripts that
// exist.
func TestPrintedCommands(t *testing.T) {
	var said bytes.Buffer
	(&demo.Stack{SimURL: "http://127.0.0.1:1", URL: "http://127.0.0.1:1"}).PrintStory(&said, "twiliosim")
	word := regexp.MustCompile(`"[^"]*"|\S+`)
	found := 0
	for _, text := range strings.Split(said.String(), "\n") {
		words := word.FindAllString(strings.TrimSpace(text), -1)
		if len(words) < 2 || words[0] != "twiliosim" {
			continue
		}
		found++
		for i := range words {
			// NUMBER: nobody is on call.
			words[i] = strings.ReplaceAll(strings.Trim(words[i], `"`), "NUMBER", "+12025550143")
		}
		if _, err := twiliosim.ParseScript(words[len(words)-1]); err != nil {
			t.Errorf("%s: %v", text, err)
		}
		out := &buffer{}
		// Nothing listens there: a right command fails at that, with 1; a wrong one is refused
		// before, with 2.
		code := runContext(context.Background(), words[1:], &environment{in: strings.NewReader(""), out: out}, out)
		if code != 1 || !strings.Contains(out.String(), "simulator at http://127.0.0.1:1") {
			t.Errorf("%s: code %d:\n%s", text, code, out)
		}
	}
	if found != 2 {
		t.Errorf("%d commands are printed, want 2:\n%s", found, said.String())
	}
}
