package doctor

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/httpkit"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/inspect"
	"github.com/livecallrouting/livecall/host-sdk/mail"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded/switchboardfile"
)

// Stand is what a host stands on. A running host is asked for it by its API; where none runs, the
// command looks by itself. What is nil or "" is reported as missing or left out, as the fields say.
type Stand struct {
	PublicURL string
	// Prove is what this host answers to a nonce at its health address, see [ProofHeader]; nil:
	// none runs.
	Prove func(nonce string) string
	Mail  *mail.Sender          // nil: there is no mail server
	File  *switchboardfile.File // nil: its channels are not looked at
	// DatabaseTime is what the clock of the database shows; nil: it has none.
	DatabaseTime func(context.Context) (time.Time, error)
	DataDir      string
}

// Examine looks at everything, the parts at the same time and each within a limit. With send, a
// mail is sent to the sender's own address, and a test to each channel of the teams. The lines are
// in the order of the parts, whichever ends first.
func (s Stand) Examine(ctx context.Context, send bool) []inspect.Line {
	parts := []func(context.Context) []inspect.Line{
		s.Public,
		func(ctx context.Context) []inspect.Line { return sendMail(ctx, s.Mail, send) },
		func(ctx context.Context) []inspect.Line { return channels(ctx, s.File, send) },
		s.clock,
		func(context.Context) []inspect.Line { return Disk(s.DataDir) },
	}
	found := make([][]inspect.Line, len(parts))
	var all sync.WaitGroup
	for i, look := range parts {
		all.Go(func() {
			ctx, cancel := context.WithTimeout(ctx, partTime)
			defer cancel()
			found[i] = look(ctx)
		})
	}
	all.Wait()
	return slices.Concat(found...)
}

// partTime bounds one part, on the wall clock: mail servers greet late on purpose.
// A request for it has httpkit.ExamineTime in all.
const partTime = httpkit.ExamineTime - 5*time.Second

// Public looks at the public address alone.
func (s Stand) Public(ctx context.Context) []inspect.Line {
	return PublicURL(ctx, s.PublicURL, s.Prove, nil)
}

// clock compares this machine's clock with the database's, and asks the system about its own. The
// database's clock is what several hosts share.
func (s Stand) clock(ctx context.Context) []inspect.Line {
	lines := []inspect.Line{Clock()}
	if s.DatabaseTime == nil {
		return lines
	}
	// Wall clock: it is what is being compared.
	before := time.Now()
	there, err := s.DatabaseTime(ctx)
	if err != nil {
		return append(lines, warning("the clock of the database cannot be read: %s", err))
	}
	// The answer was made between the question and now: half of that time is not known.
	took := time.Since(before)
	return append(lines, compare("the database", there.Sub(before.Add(took/2)), took/2))
}

// clockDiffers is the difference above which somebody should look at the clock: the times that
// people see are wrong by it.
const clockDiffers = 5 * time.Second

// compare judges by how much another clock is ahead, known but for some uncertainty. A difference
// within the uncertainty is none.
func compare(whose string, ahead, unsure time.Duration) inspect.Line {
	if by := ahead.Abs() - unsure; by > clockDiffers {
		way := "behind"
		if ahead < 0 {
			way = "ahead of"
		}
		return warning("the clock of this machine is %s %s the one of %s: run chrony or systemd-timesyncd on both", by.Round(time.Second), way, whose)
	}
	return ok("the clock of this machine agrees with the one of %s", whose)
}
