package names

import (
	"context"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/phone"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded/switchboardfile"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// lookedAt is how many calls, the newest first, are looked through for the numbers that were
// called.
const lookedAt = 1000

// Numbers are the hotline's own numbers: those that recent calls came to, in E.164 form, each with
// the id of the integration that the newest of these calls belongs to. Calls are the evidence
// because only a call proves that a number leads here, however it was connected. A thousand calls
// are enough to have seen every number that is in use, and few enough to be read for one page.
func Numbers(ctx context.Context, kept store.Calls) (map[string]string, error) {
	calls, _, err := kept.ListCalls(ctx, store.CallFilter{Limit: lookedAt})
	if err != nil {
		return nil, err
	}
	numbers := map[string]string{}
	for _, c := range calls {
		to := c.View.To
		if _, known := numbers[to]; known {
			continue
		}
		// Only what is written as an international number can be compared with phones of people.
		if number, err := phone.Read(to, ""); err == nil && number == to {
			numbers[to] = c.Integration
		}
	}
	return numbers, nil
}

// Loops warns of every person in the platform's file whose phone is one of the hotline's own
// numbers. A platform without a file has no such warnings, as its people cannot be listed. A person
// with such a phone would be called by the hotline itself, which answers as if a caller had come.
func Loops(ctx context.Context, platform any, kept store.Calls) ([]integration.Problem, error) {
	from, ok := platform.(interface{ File() *switchboardfile.File })
	if !ok {
		return nil, nil
	}
	numbers, err := Numbers(ctx, kept)
	if err != nil {
		return nil, err
	}
	var warnings []integration.Problem
	for _, p := range from.File().Loops(numbers) {
		warnings = append(warnings, integration.Problem{Path: "destinations", Code: "own_number", Message: p.Message})
	}
	return warnings, nil
}
