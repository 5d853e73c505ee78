package goalert

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"
)

// turnTime is how long a host goes on polling a service before another may do so. It is also how long
// nobody polls when that host dies.
const turnTime = 5 * time.Second

// Turns let one of several hosts that share a database poll a service, and the others hear of it.
type Turns interface {
	// TakeTurn takes the next turn of a key if it has come at now: the one after it comes every later.
	// Otherwise it says when it comes, and takes nothing. A zero time means that it was taken.
	TakeTurn(ctx context.Context, key string, now time.Time, every time.Duration) (comes time.Time, err error)
}

// turn is what a host knows of who polls a service.
type turn struct {
	ours bool
	ends time.Time
}

// polls reports whether this host is to poll a service now. Without an answer of the database each does.
func (p *poller) polls(ctx context.Context, service string) bool {
	if p.cfg.Turns == nil {
		return true
	}
	now := p.clock.Now()
	if t, known := p.turns[service]; known && now.Before(t.ends) {
		return t.ours
	}
	comes, err := p.cfg.Turns.TakeTurn(ctx, "goalert "+service, now, turnTime)
	if err != nil {
		return true
	}
	t := turn{ours: comes.IsZero(), ends: comes}
	if t.ours {
		t.ends = now.Add(turnTime)
	}
	p.turns[service] = t
	return t.ours
}

// tell hands on to the other hosts which alerts of a service have changed; all of them if that is not
// known, or they are many. The service is "*" where it is not known.
func (p *Platform) tell(service string, about map[int]bool, all bool) {
	const most = 100
	if p.cfg.Tell == nil || len(about) == 0 && !all {
		return
	}
	words := []string{service}
	if all || len(about) > most {
		words = append(words, "all")
	} else {
		for number := range about {
			words = append(words, strconv.Itoa(number))
		}
		slices.Sort(words[1:])
	}
	p.cfg.Tell(strings.Join(words, " "))
}

// Heard takes what another host has told: the alerts that have changed are hinted at, as far as this
// host knows them.
func (p *Platform) Heard(notice string) {
	words := strings.Fields(notice)
	if len(words) < 2 {
		return
	}
	all := words[1] == "all"
	for _, h := range p.live.changed(p.clock.Now(), func(number int, a *liveAlert) bool {
		return (words[0] == "*" || a.service == words[0]) && (all || slices.Contains(words[1:], strconv.Itoa(number)))
	}) {
		p.hub.send(h)
	}
}
