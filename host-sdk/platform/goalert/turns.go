package goalert

import (
	"context"
	"slices"
	"strconv"
	"strings"
)

// polls reports whether this host is to poll a service now.
func (p *poller) polls(ctx context.Context, service string) bool {
	if p.cfg.Turns == nil {
		return true
	}
	turn := p.turns[service]
	ours, _ := turn.Ours(ctx, p.cfg.Turns, "goalert "+service, p.clock.Now())
	p.turns[service] = turn
	return ours
}

// tell hands on to the other hosts which alerts of a service have changed; all of them if that is
// not known, or they are many. The service is "*" where it is not known.
func (p *Platform) tell(service string, about map[int]bool, all bool) {
	// A notice goes through the database, which limits its length.
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

// Heard takes what another host has sent: the alerts that have changed are hinted at, as far as
// this host knows them.
func (p *Platform) Heard(notice string) {
	words := strings.Fields(notice)
	// A release with another form of notices may run beside this one.
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
