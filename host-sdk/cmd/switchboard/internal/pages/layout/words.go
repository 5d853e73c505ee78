package layout

import (
	"fmt"
	"html/template"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/httpkit"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/wording"
	"github.com/livecallrouting/livecall/host-sdk/oneline"
	"github.com/livecallrouting/livecall/host-sdk/phone"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded/switchboardfile"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// PlainWord makes a flow's word readable: leaving_message → Leaving message. A word of a plugin
// that these pages do not know is still shown so.
func PlainWord(w string) string {
	if w == "" {
		return ""
	}
	w = strings.ReplaceAll(w, "_", " ")
	return httpkit.Capital(w)
}

// words are the functions of all templates. Packages of pages add their own in Parse. Those that
// return template.HTML escape what they are given themselves.
func (s *Site) words() template.FuncMap {
	return template.FuncMap{
		"at":       func(t time.Time) template.HTML { return timeElement(t, "at", t.UTC().Format("2 Jan 15:04:05 MST")) },
		"age":      func(t time.Time) template.HTML { return timeElement(t, "age", age(s.Clock.Now().Sub(t))) },
		"timed":    timed,
		"local":    func(t time.Time) template.HTML { return timeElement(t, "local", t.UTC().Format("Mon 2 Jan 15:04 MST")) },
		"lasted":   func(from, to time.Time) string { return oneline.Lasting(to.Sub(from)) },
		"length":   oneline.Lasting,
		"phone":    func(number string) template.HTML { return unbroken(Phone(number)) },
		"numbers":  numbersElements,
		"dialable": phone.IsE164,
		"web":      WebAddress,
		"linked":   linked,
		"headline": newHeadline,
		"said":     said,
		"initials": initials,
		"howWords": howWords,
		"roleBadge": func(role string) Badge {
			return Badge{map[string]string{switchboardfile.RoleAdmin: "warn", switchboardfile.RoleResponder: "info", "product": "info", switchboardfile.RoleViewer: "quiet"}[role], role}
		},
		"thisBrowser": func() Badge { return Badge{"ok", "This browser"} },
		"plural":      wording.Count,
	}
}

// headline is a text whose rest is shown when it is asked for.
type headline struct{ Head, Rest string }

// longText is how many characters a text above a page may have: two lines on a telephone. It is
// counted in characters, not bytes.
const longText = 100

// newHeadline parts a long text after its first colon.
func newHeadline(text string) headline {
	if head, rest, parted := strings.Cut(text, ": "); parted && utf8.RuneCountInString(text) > longText {
		return headline{head, rest}
	}
	return headline{Head: text}
}

// howWords says how somebody has logged in.
func howWords(how string) string {
	switch how {
	case store.LoginByMail:
		return "link by mail"
	case store.LoginByOpenID:
		return "OpenID provider"
	case store.LoginByPage:
		return "link in a page, one alert"
	case store.LoginByToken:
		return "API token"
	}
	return how
}

// address finds addresses of pages in a sentence, without the punctuation that ends it. Quotation
// marks and angle brackets end an address, so that nothing of a text can leave the attribute that
// it is put into.
var address = regexp.MustCompile(`https?://[^\s<>"]*[^\s<>".,;:!?)]`)

// linked is a sentence whose addresses of pages can be followed, such as that of an earlier alert.
func linked(text string) template.HTML { return link(text, template.HTMLEscapeString) }

// rightToLeft is a name written from right to left within a sentence of ours.
var rightToLeft = regexp.MustCompile(`[\p{Arabic}\p{Hebrew}\p{Syriac}\p{Thaana}\p{Nko}](?:[\p{Arabic}\p{Hebrew}\p{Syriac}\p{Thaana}\p{Nko}\p{M} -]*[\p{Arabic}\p{Hebrew}\p{Syriac}\p{Thaana}\p{Nko}\p{M}])?`)

// said is linked for a sentence of ours, with readable numbers, in which a name from right to left
// stands for itself: the number behind it would be shown in front of it.
func said(text string) template.HTML {
	return link(text, func(part string) string {
		return rightToLeft.ReplaceAllString(string(numbersElements(part)), "<bdi>$0</bdi>")
	})
}

// link makes links of the addresses in a text; plain escapes what is between them. The addresses go
// into an attribute and are escaped here; plain must do so for the rest.
func link(text string, plain func(string) string) template.HTML {
	var b strings.Builder
	// Where the text begins that is not written yet.
	rest := 0
	for _, at := range address.FindAllStringIndex(text, -1) {
		b.WriteString(plain(text[rest:at[0]]))
		to := template.HTMLEscapeString(text[at[0]:at[1]])
		b.WriteString(`<a href="` + to + `" rel="noreferrer">` + to + `</a>`)
		rest = at[1]
	}
	b.WriteString(plain(text[rest:]))
	return template.HTML(b.String()) // #nosec G203 -- every part is escaped
}

// timeElement is a time that the script shows in the viewer's own time zone. Without scripts the
// text is read, in UTC; kind tells the script which form to show. A zero time is nothing.
func timeElement(t time.Time, kind, text string) template.HTML {
	if t.IsZero() {
		return ""
	}
	iso := t.UTC().Format("2006-01-02T15:04:05Z")
	title := ""
	if kind == "age" {
		title = ` title="` + t.UTC().Format("2 Jan 2006 15:04:05 MST") + `"`
	}
	// #nosec G203 -- digits and names of days and months alone
	return template.HTML(`<time datetime="` + iso + `" data-time="` + kind + `"` + title + `>` + template.HTMLEscapeString(text) + `</time>`)
}

// instant finds times as the API writes them.
var instant = regexp.MustCompile(`\b\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d)?Z`)

// timed is a sentence whose times are shown as all others on a page.
func timed(text string) template.HTML {
	// #nosec G203 -- escaped, which leaves times as they are
	return template.HTML(instant.ReplaceAllStringFunc(template.HTMLEscapeString(text), func(one string) string {
		for _, layout := range []string{"2006-01-02T15:04Z", time.RFC3339} {
			if t, err := time.Parse(layout, one); err == nil {
				return string(timeElement(t, "local", t.UTC().Format("Mon 2 Jan 15:04 MST")))
			}
		}
		return one
	}))
}

// age says how long ago something was; a little of the future, from clocks that differ, is now.
// Coarser the longer ago it is; the exact time is in the element's title.
func age(d time.Duration) string {
	switch {
	case d < 10*time.Second:
		return "just now"
	case d < time.Minute:
		return fmt.Sprintf("%d s ago", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%d min ago", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h ago", int(d.Hours()))
	}
	return fmt.Sprintf("%d days ago", int(d.Hours()/24))
}

// Phone makes a number readable, as [phone.Display] does; none is a withheld one.
func Phone(number string) string {
	if number == "" {
		return "withheld"
	}
	return phone.Display(number)
}

// unbroken is a number that stays on one line: browsers break lines at its hyphens and spaces.
func unbroken(number string) template.HTML {
	// #nosec G203 -- escaped
	return template.HTML(`<span class="number">` + template.HTMLEscapeString(number) + `</span>`)
}

// numbersElements is [phone.DisplayIn], with each number on one line.
func numbersElements(text string) template.HTML {
	// #nosec G203 -- escaped, which leaves the plus sign and digits as they are
	return template.HTML(phone.EachIn(template.HTMLEscapeString(text), func(number string) string {
		return string(unbroken(phone.Display(number)))
	}))
}

// WebAddress is an address that may be a link; "" for anything but http and https. Texts of
// platforms and of files become links: javascript: and data: must not.
func WebAddress(text string) string {
	if strings.HasPrefix(text, "https://") || strings.HasPrefix(text, "http://") {
		return text
	}
	return ""
}

// initials are the first letters of the first two words of a name, for a picture of a person.
func initials(name string) string {
	var out []rune
	for _, word := range strings.Fields(name) {
		out = append(out, []rune(strings.ToUpper(word))[0])
		if len(out) == 2 {
			break
		}
	}
	return string(out)
}
