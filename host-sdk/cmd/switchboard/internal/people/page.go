package people

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

const (
	// pageTime is how long the link in a page works at most.
	pageTime = 7 * 24 * time.Hour
	// pageAfter is how long it works after its alert was resolved.
	pageAfter = 24 * time.Hour
	// macBytes is the length of what signs a link: nobody guesses 128 bits.
	macBytes = 16
)

// PagePath is where, below the public address, the link in a page leads: the token follows.
const PagePath = "/page/"

// PageLinks makes and reads the links in pages. Nothing of a link is stored: it is signed, so
// making one writes nothing, and it works on every host that has the key.
type PageLinks struct {
	Key       []byte // what signs them; the same for all hosts, and after a restart
	PublicURL string // without trailing slash
	Clock     clock.Clock
}

// URL is the link for a person who is paged for an alert, by any channel that reaches this person
// alone. It opens that alert in the person's name: to acknowledge or decline it and to hear its
// recording, nothing else. It works until a day after the alert was resolved, for 7 days at most,
// and no longer than the person is in the switchboard file. Channels that several people read need
// a link to the alert itself, which asks for a login. user and alert are the platform's ids.
func (l *PageLinks) URL(user, alert string) string {
	// The ids cannot hold a zero byte, so the parts are told apart. The time is in seconds, which
	// keeps the link short.
	text := user + "\x00" + alert + "\x00" + strconv.FormatInt(l.Clock.Now().Unix(), 36)
	return l.PublicURL + PagePath + base64.RawURLEncoding.EncodeToString(append(l.mac(text), text...))
}

// mac signs the text of a link. The word in front keeps what is signed here from being taken for
// anything else signed with the key.
func (l *PageLinks) mac(text string) []byte {
	h := hmac.New(sha256.New, l.Key)
	h.Write([]byte("page\x00" + text))
	return h.Sum(nil)[:macBytes]
}

// PageLink is what a link in a page says.
type PageLink struct {
	User, Alert string
	Made        time.Time
}

// read reads the token of a link; false: it is not one of ours. Neither the age nor the alert is
// looked at; that is for People.PageLink.
func (l *PageLinks) read(token string) (PageLink, bool) {
	data, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || len(data) < macBytes {
		return PageLink{}, false
	}
	text := string(data[macBytes:])
	if subtle.ConstantTimeCompare(l.mac(text), data[:macBytes]) != 1 {
		return PageLink{}, false
	}
	parts := strings.Split(text, "\x00")
	if len(parts) != 3 {
		return PageLink{}, false
	}
	made, err := strconv.ParseInt(parts[2], 36, 64)
	return PageLink{User: parts[0], Alert: parts[1], Made: time.Unix(made, 0)}, err == nil
}

// Why the link in a page does not work. Nobody makes one of the right signature, so to say more of
// it than of a wrong one tells nothing to whoever guesses.
const (
	pageWrong    = "This link is not complete, or is none of this switchboard. Open it in your page once more, or log in to see your alerts."
	pageLeft     = "This link no longer works, as the person whom it was sent to has left the switchboard file. Once whoever keeps the file has added them again, it does."
	pageDeleted  = "This link no longer works, as its alert was deleted. Log in to see your alerts."
	pageResolved = "This link no longer works, as its alert was resolved more than a day ago. Log in to see it."
	pageOld      = "This link no longer works, as it is more than 7 days old. Log in to see the alert."
)

// PageLink reads the link in a page. find reads its alert. problem says why it does not work, in a
// sentence with the remedy; "": it does, until ends.
func (p *People) PageLink(token string, find func(alert string) (platform.AlertRecord, error)) (link PageLink, alert platform.AlertRecord, ends time.Time, problem string, err error) {
	if p.cfg.Pages == nil {
		return link, alert, ends, pageWrong, nil
	}
	link, ok := p.cfg.Pages.read(token)
	if !ok {
		return link, alert, ends, pageWrong, nil
	}
	if !p.hasUser(link.User) {
		return link, alert, ends, pageLeft, nil
	}
	alert, err = find(link.Alert)
	if integration.KindOf(err) == integration.KindNotFound {
		return link, alert, ends, pageDeleted, nil
	}
	if err != nil {
		return link, alert, ends, "", err
	}
	// A person who was paged before the alert was reopened may use the link again.
	ends, over := link.Made.Add(pageTime), pageOld
	if resolved := alert.UpdatedAt.Add(pageAfter); alert.Status == integration.AlertResolved && resolved.Before(ends) {
		ends, over = resolved, pageResolved
	}
	if !p.cfg.Clock.Now().Before(ends) {
		problem = over
	}
	return link, alert, ends, problem, nil
}

// LogInWithPage gives the browser a login for the alert of a link that works until ends. The login
// ends with the link at the latest.
func (p *People) LogInWithPage(w http.ResponseWriter, r *http.Request, link PageLink, ends time.Time) error {
	return p.begin(w, r, store.Login{How: store.LoginByPage, User: link.User, Alert: link.Alert}, min(shortLogin, ends.Sub(p.cfg.Clock.Now())))
}
