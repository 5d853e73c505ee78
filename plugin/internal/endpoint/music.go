package endpoint

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/config"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/reply"
	"github.com/livecallrouting/livecall/plugin/internal/music"
	"github.com/livecallrouting/livecall/plugin/internal/options"
)

// MediaPrefix begins the paths of the hold music's files.
const MediaPrefix = "/media/"

// HoldMusic lists the addresses that the hold music is played from, one a tick, over and over: an
// uploaded file's slices, or the whole of a short one; an address; else our own music.
func HoldMusic(in integration.Instance, o options.Options) []string {
	switch src := o.Prompts["wait_music"]; {
	case src.URL != "":
		return []string{src.URL}
	case src.Media != "" && len(in.MediaSlices[src.Media]) > 0:
		return in.MediaSlices[src.Media]
	case src.Media != "" && in.MediaURLs[src.Media] != "":
		return []string{in.MediaURLs[src.Media]}
	}
	return OwnMusic(in)
}

// ownMusic keeps the lists of OwnMusic, by endpoint: they are the same at every tick.
var ownMusic = newCache[string, []string]()

// OwnMusic lists the addresses of our own music, which takes the place of a file that cannot be
// played. Callers share the list: read only.
func OwnMusic(in integration.Instance) []string {
	l := NewLinks(in, "")
	return ownMusic.get(l.endpoint, func() []string {
		own := make([]string, music.Slices)
		for i := range own {
			own[i] = l.Music(i)
		}
		return own
	})
}

// Sounds are the recording fields that hold a file, with the addresses that Twilio fetches it from.
func Sounds(in integration.Instance, o options.Options) map[reply.PromptKey]config.Sound {
	out := map[reply.PromptKey]config.Sound{}
	for key, src := range o.Prompts {
		s := config.Sound{Title: options.Title(key)}
		switch {
		case reply.PromptKey(key) == reply.PromptMusic && (src.URL != "" || src.Media != ""):
			s.URLs = HoldMusic(in, o)
		case src.URL != "":
			s.URLs = []string{src.URL}
		case src.Media != "" && in.MediaURLs[src.Media] != "":
			s.URLs = []string{in.MediaURLs[src.Media]}
		}
		if len(s.URLs) > 0 {
			out[reply.PromptKey(key)] = s
		}
	}
	return out
}

// ServeMusic answers a request for a slice of the hold music. Twilio fetches media by GET, without
// its parameters and outside any call, so there is nothing to check; the music is no secret.
func ServeMusic(req integration.WebhookRequest) integration.Response {
	name, ok := strings.CutPrefix(req.Path, MediaPrefix+"music-")
	name, wav := strings.CutSuffix(name, ".wav")
	n, err := strconv.Atoi(name)
	if !ok || !wav || err != nil || n < 0 || n >= music.Slices || strconv.Itoa(n) != name {
		return integration.Response{Status: http.StatusNotFound, Header: map[string][]string{"Content-Type": {"text/plain; charset=utf-8"}}, Body: []byte("not found\n")}
	}
	f := music.Slice(n)
	etag := `"` + f.Hash + `"`
	head := map[string][]string{
		"Content-Type":  {music.ContentType},
		"Cache-Control": {"public, max-age=31536000, immutable"},
		"Etag":          {etag},
	}
	for _, h := range req.Header["If-None-Match"] {
		if strings.Contains(h, etag) || strings.TrimSpace(h) == "*" {
			return integration.Response{Status: http.StatusNotModified, Header: head}
		}
	}
	return integration.Response{Status: http.StatusOK, Header: head, Body: f.Data}
}
