package goalert

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"net/http"
)

// maxPost bounds what GoAlert may post, in bytes.
const maxPost = 64 << 10

// Webhook receives what GoAlert posts from a webhook action in an escalation step, at an address
// that ends in ?token= and [Config.WebhookToken]. Posts come late or not at all and are not signed,
// so nothing in them is believed: they make the alert be read a second earlier than polling would.
func (p *Platform) Webhook() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// Hashes have one length, so comparing them tells nothing of the token's.
		want, got := sha256.Sum256([]byte(p.cfg.WebhookToken)), sha256.Sum256([]byte(r.URL.Query().Get("token")))
		switch {
		case p.cfg.WebhookToken == "" || subtle.ConstantTimeCompare(want[:], got[:]) != 1:
			http.NotFound(w, r)
			return
		case r.Method != http.MethodPost:
			w.WriteHeader(http.StatusMethodNotAllowed)
			return
		}
		var post struct {
			Type    string
			AlertID int
		}
		if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxPost)).Decode(&post); err != nil {
			http.Error(w, "want a JSON object as GoAlert posts it", http.StatusBadRequest)
			return
		}
		bundle := post.Type == "AlertBundle" // several alerts, not said which
		// The post names no service. It reaches one of several hosts, which may not be the one with
		// the call.
		p.tell("*", map[int]bool{post.AlertID: true}, bundle)
		for _, h := range p.live.changed(p.clock.Now(), func(number int, _ *liveAlert) bool { return bundle || number == post.AlertID }) {
			p.hub.send(h)
		}
		w.WriteHeader(http.StatusNoContent)
	})
}
