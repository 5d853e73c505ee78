package integrationtest

import (
	"slices"
	"testing"

	"github.com/livecallrouting/livecall/host-sdk/integration"
)

// performUnknown: a task that this version cannot do ends, rather than being tried for ever.
func (s *suite) performUnknown(t *testing.T, i integration.Integration) {
	final := []integration.Kind{integration.KindInvalid, integration.KindUnsupported, integration.KindNotFound}
	d := s.describe(t, i)
	for what, task := range map[string]integration.Task{
		"unknown name":    {Name: "nobody-knows", Generation: 1, Format: d.Formats.Task},
		"no name":         {Format: d.Formats.Task},
		"newer format":    {Name: "nobody-knows", Generation: 1, Format: d.Formats.Task + 1, Payload: []byte(`{}`)},
		"garbage payload": {Name: "nobody-knows", Generation: 1, Format: d.Formats.Task, Payload: []byte("\x00\xff")},
		// Known since minor 1, but nobody has to.
		"garbage erasure": {Name: integration.TaskErase, Generation: 1, Payload: []byte("\x00\xff")},
	} {
		facts := s.webhook().Facts
		_, err := i.Perform(callContext(t), integration.PerformRequest{Facts: facts, Task: task, Attempt: 1})
		if err == nil {
			t.Errorf("%s: done", what)
		}
		checkError(t, what, err, final...)
	}
}

// A plugin that cannot ring for a test says not_found; one that can says what became of a ring of
// nobody, or asks who it is. Neither starts a call here.
func (s *suite) testRing(t *testing.T, i integration.Integration) {
	facts := s.webhook().Facts
	facts.SessionKey, facts.Session = integration.RingSessionPrefix+"abcdefghijklmnop0123456789", nil
	result, err := i.RunAction(callContext(t), integration.ActionRequest{
		Facts: facts, Name: integration.ActionTestRing, Values: map[string]string{integration.ValueUser: "nobody"},
	})
	if err != nil {
		checkError(t, "test ring", err, integration.KindNotFound)
		return
	}
	over := slices.ContainsFunc(result.Lines, func(l integration.ActionLine) bool { return l.Field == integration.RingOutcome })
	if len(result.Need) == 0 && !over {
		t.Errorf("a test ring of nobody: %+v, want questions or an outcome", result)
	}
}

// A button that does not exist is not_found, whatever its name looks like: names come from
// addresses.
func (s *suite) actionUnknown(t *testing.T, i integration.Integration) {
	for _, name := range []string{"", "nobody-knows", "../check", "CHECK"} {
		facts := s.webhook().Facts
		facts.SessionKey = integration.IntegrationSessionKey
		_, err := i.RunAction(callContext(t), integration.ActionRequest{Facts: facts, Name: name})
		if err == nil {
			t.Errorf("action %q was run", name)
		}
		checkError(t, "action "+name, err, integration.KindNotFound)
	}
}
