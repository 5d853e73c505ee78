package notify

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/nicholas-fedor/shoutrrr/pkg/types"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/oneline"
)

// Limits of one text. Services cut or split what is longer than they allow.
const (
	maxTitle = 200  // characters
	maxText  = 1500 // characters
)

// Limits of sending, as no service is trusted: an attempt is given up after sendTime, and a
// service and host with MaxOpen attempts that have not come back are not tried until one has.
const (
	sendTime = 20 * time.Second
	MaxOpen  = 16
)

// Message is what is sent.
type Message struct {
	Title string // one line
	Text  string // several lines of plain text; a link stands in a line of its own
}

// titled are the services that take a title of their own; with the others it is the text's first
// line. A webhook takes one if it is sent JSON.
var titled = []string{"bark", "discord", "gotify", "join", "lark", "matrix", "ntfy", "opsgenie", "pushbullet", "pushover", "slack", "smtp", "teams", "telegram"}

// Sender sends texts. The zero Sender is ready, and may be used by many goroutines. One Sender
// serves the whole host, as the limit is about a service, whoever it is for.
type Sender struct {
	mu   sync.Mutex
	open map[string]int // attempts that have not come back, by service and host
}

// Send sends a text once, and gives up after 20 seconds or when ctx ends: then the attempt goes on
// by itself, and the text may still arrive. Errors are of the contract's kinds, invalid if the
// service refuses the address or the text for good, and hold nothing of the address but service and
// host.
func (s *Sender) Send(ctx context.Context, to Address, m Message) error {
	if to.raw == "" {
		return integration.Errorf(integration.KindInvalid, "there is no address to notify")
	}
	if !s.begin(to) {
		return integration.Errorf(integration.KindUnavailable, "%s has not answered earlier attempts yet", to)
	}
	ctx, cancel := context.WithTimeout(ctx, sendTime)
	defer cancel()
	// Room for one: the goroutine ends also when nobody waits any more.
	done := make(chan error, 1)
	// The library's services take no context, so one that hangs can only be left behind. Its place
	// among MaxOpen is free when it returns.
	go func() {
		defer s.end(to)
		done <- deliver(to, m)
	}()
	select {
	case err := <-done:
		return failure(to, err)
	case <-ctx.Done():
		return integration.Errorf(integration.KindDeadline, "%s did not answer in time", to)
	}
}

// begin takes one of the places of a service and host; false when all are taken. Whoever gets true
// must call end.
func (s *Sender) begin(to Address) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open == nil {
		s.open = map[string]int{}
	}
	if s.open[to.String()] >= MaxOpen {
		return false
	}
	s.open[to.String()]++
	return true
}

// end gives the place back. The entry goes with the last one, so the map holds only what is being
// tried.
func (s *Sender) end(to Address) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open[to.String()]--; s.open[to.String()] == 0 {
		delete(s.open, to.String())
	}
}

// deliver has the service send the text. A service that panics has failed.
func deliver(to Address, m Message) (err error) {
	defer func() {
		if recover() != nil {
			err = errPanic
		}
	}()
	title, text := oneline.Clean(m.Title, maxTitle), cut(m.Text, maxText)
	params := types.Params{}
	switch {
	case title == "":
	case slices.Contains(titled, to.service), to.service == "generic" && strings.Contains(to.raw, "template="):
		params.SetTitle(title)
	default:
		text = title + "\n\n" + text
	}
	// Made anew for each text: a service keeps the title of the last one.
	service, err := to.open()
	if err != nil {
		return err
	}
	defer bound(service)()
	return service.Send(text, &params)
}

// cut limits a text to a number of characters.
func cut(text string, limit int) string {
	text = strings.TrimSpace(text)
	if runes := []rune(text); len(runes) > limit {
		return string(runes[:limit-1]) + "…"
	}
	return text
}
