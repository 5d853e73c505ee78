package main

import (
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/platform/embedded/switchboardfile"
)

// People copy the sample: an alert must not be gone before somebody has found their telephone.
func TestSampleGivesPeopleTimeToAnswer(t *testing.T) {
	t.Parallel()
	f, problems := switchboardfile.Parse("sample.yaml", sample)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	for _, team := range f.Teams {
		for i, l := range team.Escalation.Layers {
			if d := time.Duration(l.Timeout); d < switchboardfile.DefaultTimeout {
				t.Errorf("%s gives layer %d %s to answer, less than a file without an escalation", team.Name, i+1, d)
			}
		}
		if team.Escalation.Repeat < 1 {
			t.Errorf("%s pages nobody twice", team.Name)
		}
	}
}
