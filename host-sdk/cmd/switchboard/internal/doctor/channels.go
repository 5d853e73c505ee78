package doctor

import (
	"context"
	"fmt"
	"sync"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/inspect"
	"github.com/livecallrouting/livecall/host-sdk/notify"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded/switchboardfile"
)

// manyChannels is how many services are asked at the same time. A file may name hundreds.
const manyChannels = 8

// channels looks whether the services answer at which people and teams are notified. With send,
// each channel of a team gets a test; people try theirs with switchboard user test. The lines are
// in the order of the file, people first.
func channels(ctx context.Context, file *switchboardfile.File, send bool) []inspect.Line {
	if file == nil {
		return nil
	}
	type target struct {
		who     string
		address notify.Address
		send    bool
	}
	var all []target
	for _, u := range file.Users {
		for _, a := range u.Notify {
			all = append(all, target{"user " + u.ID, a, false})
		}
	}
	for _, t := range file.Teams {
		for _, a := range t.Channels {
			all = append(all, target{"team " + t.ID, a, send})
		}
	}
	lines := make([]inspect.Line, len(all))
	turn := make(chan struct{}, manyChannels)
	var asked sync.WaitGroup
	for i, t := range all {
		asked.Go(func() {
			turn <- struct{}{}
			defer func() { <-turn }()
			lines[i] = channel(ctx, t.who, t.address, t.send)
		})
	}
	asked.Wait()
	return lines
}

// channel looks at one address. Without a test only the service's host is connected to: the rest of
// an address is its secret.
func channel(ctx context.Context, who string, a notify.Address, send bool) inspect.Line {
	at := fmt.Sprintf("%s, %s: ", who, a)
	if send {
		if err := (&notify.Sender{}).Send(ctx, a, notify.Message{Title: "A test of switchboard", Text: "switchboard doctor --send has sent this. You need not do anything."}); err != nil {
			return failure("%s%s", at, reason(err))
		}
		return ok("%sthe test was accepted", at)
	}
	host, err := a.Reach(ctx)
	switch {
	case err != nil:
		return warning("%s%s cannot be reached from this machine (%s): open outgoing connections to it, or correct the address", at, host, err)
	case host == "":
		return ok("%sthe address can be read", at)
	}
	return ok("%s%s can be reached", at, host)
}
