package app

import (
	"crypto/sha256"

	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/plugin/internal/endpoint"
	"github.com/livecallrouting/livecall/plugin/internal/options"
)

// settings are an instance's options, ready to serve a call: whatever is wrong in the document has
// its default. They share memory with other requests of the instance: read only.
type settings struct {
	options.Options
	problems []integration.Problem // what is wrong in the document
	// Addresses that the hold music is played from, one a tick, over and over.
	music []string
}

// cachedDocuments is how many options documents are kept decoded: those of the instances that have
// calls just now, each in the revisions that their running calls are pinned to.
const cachedDocuments = 256

// documentKey tells options documents apart by their whole content, the newest secrets included,
// and not by their revision: a changed document can never be served from what was decoded before it
// changed.
type documentKey struct {
	sum    [sha256.Size]byte
	format int
}

// documents decodes, migrates and checks each options document once, and not again at every request
// of a call.
type documents struct {
	decoded *lru.Cache[documentKey, options.Result]
}

func newDocuments() documents {
	c, err := lru.New[documentKey, options.Result](cachedDocuments)
	if err != nil {
		panic(err) // the size is not positive
	}
	return documents{decoded: c}
}

// load reads an instance's options. Only what follows from the document alone is cached. Addresses
// of music and sounds, and whether anybody would be mailed, also depend on the rest of the
// instance, and are worked out each time.
func (d documents) load(in integration.Instance) settings {
	key := documentKey{sum: sha256.Sum256(in.Options), format: in.OptionsFormat}
	res, ok := d.decoded.Get(key)
	if !ok {
		// Without destinations and capabilities in the context, only the document itself is
		// checked: a team that has gone must not stop a call.
		res = options.Load(in.Options, in.OptionsFormat, options.Context{})
		d.decoded.Add(key, res)
	}
	s := settings{Options: res.Options, problems: res.Problems, music: endpoint.HoldMusic(in, res.Options)}
	s.Flow.Sounds = endpoint.Sounds(in, res.Options)
	s.Flow.Unmailed = res.Options.Unmailed(in)
	return s
}
