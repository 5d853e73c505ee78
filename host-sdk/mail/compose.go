package mail

import (
	"bytes"
	"cmp"
	"fmt"
	"html"
	"mime"
	"net/url"
	"path"
	"strings"

	gomail "github.com/wneessen/go-mail"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/engine"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/oneline"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// maxSubject is the longest subject, in characters. Mail programs show far less of it.
const maxSubject = 500

// compose makes the message, with attachments as long as they fit into limit bytes. Subject and
// display names are made one line rather than refused: they hold names that other people chose, and
// a mail about a voice message must not be lost for that. What is no address is refused, kind
// invalid.
func (s *Sender) compose(m engine.OutgoingMail, limit int64) (*gomail.Msg, error) {
	to, err := parseAddress(oneline.Clean(m.To, 0))
	if err != nil {
		return nil, integration.Errorf(integration.KindInvalid, "mail to %q: %w", m.To, err)
	}
	id, err := s.messageID(m.MessageID)
	if err != nil {
		return nil, err
	}
	message := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	message.FromMailAddress(s.from)
	message.ToMailAddress(to)
	message.Subject(oneline.Clean(m.Subject, maxSubject))
	message.SetMessageIDWithValue(id)
	message.SetDateWithValue(clock.Wall(s.opt.Clock))
	// RFC 3834: no out-of-office answers, please.
	message.SetGenHeader("Auto-Submitted", "auto-generated")
	message.SetGenHeader(gomail.HeaderXAutoResponseSuppress, "All")

	var added addition
	if link := s.absolute(m.AlertURL); link != "" {
		added.link("Alert", link)
	}
	for _, note := range m.Notes {
		added.line(note)
	}
	for _, a := range m.Attachments {
		size := int64(len(a.Data))
		// A later, smaller attachment may still fit. The order of the rest stays as the plugin gave
		// it.
		if size <= limit {
			limit -= size
			if err := message.AttachReader(fileName(a), bytes.NewReader(a.Data), gomail.WithFileContentType(contentType(a))); err != nil {
				return nil, integration.Errorf(integration.KindInternal, "mail attachment %q: %w", a.Name, err)
			}
			continue
		}
		link := ""
		if s.opt.AttachmentURL != nil {
			link = s.absolute(s.opt.AttachmentURL(a))
		}
		if link != "" {
			added.link(fileName(a), link)
		} else {
			added.line(fmt.Sprintf("%s (%s) is not attached: it is kept with the alert.", fileName(a), sizeText(max(size, a.Bytes))))
		}
	}
	message.SetBodyString(gomail.TypeTextPlain, added.toText(m.Text))
	if m.HTML != "" {
		message.AddAlternativeString(gomail.TypeTextHTML, added.toHTML(m.HTML))
	}
	return message, nil
}

// messageID completes an id by the sender's domain. The same id gives the same header, however
// often a mail is sent.
func (s *Sender) messageID(id string) (string, error) {
	id = strings.TrimSuffix(strings.TrimPrefix(id, "<"), ">")
	if id == "" || strings.ContainsFunc(id, func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune("<>()[]\\,;:\"", r) }) {
		return "", integration.Errorf(integration.KindInvalid, "mail Message-ID %q: want letters, digits and dots", id)
	}
	if !strings.Contains(id, "@") {
		id += s.from.Address[strings.LastIndex(s.from.Address, "@"):]
	}
	return id, nil
}

// absolute makes a web address of a path of the host; "" for what is no web address. The plugin
// gives paths of the host's pages, as it does not know where people reach them. Another scheme,
// such as javascript:, gives no link.
func (s *Sender) absolute(link string) string {
	u, err := url.Parse(link)
	if err != nil || link == "" || hasControl(link) {
		return ""
	}
	if !u.IsAbs() && u.Host == "" && strings.HasPrefix(u.Path, "/") && s.public.Host != "" {
		return s.public.JoinPath(u.EscapedPath()).String() + choose(u.RawQuery != "", "?"+u.RawQuery) + choose(u.Fragment != "", "#"+u.EscapedFragment())
	}
	if u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return ""
	}
	return u.String()
}

// choose is a text under a condition; "" otherwise.
func choose(condition bool, text string) string {
	if condition {
		return text
	}
	return ""
}

// addition is what the host writes below a mail. The plugin's own text comes first, and remains a
// whole document: what is added stands behind it, and in HTML inside its body.
type addition struct{ text, html []string }

// line adds a sentence of the host's own, in both forms of the mail.
func (a *addition) line(text string) {
	a.text = append(a.text, text)
	a.html = append(a.html, "<p>"+html.EscapeString(text)+"</p>")
}

// link adds an address that can be followed.
func (a *addition) link(label, address string) {
	a.text = append(a.text, label+": "+address)
	a.html = append(a.html, fmt.Sprintf(`<p>%s: <a href="%s">%s</a></p>`, html.EscapeString(label), html.EscapeString(address), html.EscapeString(address)))
}

// toText appends to the plain text.
func (a *addition) toText(body string) string {
	if len(a.text) == 0 {
		return body
	}
	return strings.TrimRight(body, "\r\n") + "\n\n" + strings.Join(a.text, "\n") + "\n"
}

// toHTML writes before the end of the body, or at the end of a fragment.
func (a *addition) toHTML(body string) string {
	added := strings.Join(a.html, "\n")
	// Lower-casing may change a text's length, and then the position would not be one of body.
	if i := strings.LastIndex(strings.ToLower(body), "</body"); i >= 0 && len(strings.ToLower(body)) == len(body) {
		return body[:i] + added + body[i:]
	}
	return body + added
}

// fileName is the medium's name without a folder and without what a header or a file system could
// misread.
func fileName(m store.Medium) string {
	name := path.Base(strings.ReplaceAll(oneline.Clean(m.Name, oneline.MaxName), `\`, "/"))
	name = strings.ReplaceAll(name, `"`, "_")
	if name == "." || name == "/" || name == ".." {
		return "attachment"
	}
	return name
}

// contentType is the medium's type, or that of any bytes: a type that would change the structure of
// the mail is not taken over.
func contentType(m store.Medium) gomail.ContentType {
	kind, _, err := mime.ParseMediaType(m.ContentType)
	if err != nil || !strings.Contains(kind, "/") || strings.HasPrefix(kind, "multipart/") || strings.HasPrefix(kind, "message/") {
		return gomail.TypeAppOctetStream
	}
	return gomail.ContentType(kind)
}

// sizeText writes a size as people read it.
func sizeText(n int64) string {
	for _, unit := range []struct {
		name string
		size int64
	}{{"MB", 1_000_000}, {"kB", 1000}} {
		if n >= unit.size {
			return fmt.Sprintf("%.1f %s", float64(n)/float64(unit.size), unit.name)
		}
	}
	return fmt.Sprintf("%d %s", n, cmp.Or(map[int64]string{1: "byte"}[n], "bytes"))
}
