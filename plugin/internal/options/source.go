package options

import (
	"net/url"
	"regexp"
	"strings"
)

// Source is what a recording field contains: exactly one of text, address and uploaded file. The
// zero Source means that the field is empty.
type Source struct {
	Text  string // spoken
	URL   string // https address of a sound file
	Media string // reference of an uploaded file, "media:…"
}

var mediaRef = regexp.MustCompile(`^media:[0-9a-f]{64}$`)

// parseSource tells the three kinds apart by how they begin. A text that begins like an address is
// one, so that nobody hears "h t t p s".
func parseSource(v string) Source {
	v = strings.TrimSpace(v)
	switch {
	case v == "":
		return Source{}
	case strings.HasPrefix(v, "media:"):
		return Source{Media: v}
	case isURL(v):
		return Source{URL: v}
	}
	return Source{Text: v}
}

// sources reads all recording fields of a checked document. Empty fields are left out. Fields with
// problems are not among them, as check has taken those out.
func sources(known map[string]any) map[string]Source {
	out := map[string]Source{}
	for key, v := range known {
		text, isText := v.(string)
		if s := parseSource(text); isText && form().fields[key].Media != nil && s != (Source{}) {
			out[key] = s
		}
	}
	return out
}

// isURL recognizes http addresses too: they are refused with a message instead of being spoken.
func isURL(v string) bool {
	lower := strings.ToLower(v)
	return strings.HasPrefix(lower, "https://") || strings.HasPrefix(lower, "http://")
}

// httpsAddress reports whether Twilio can fetch v safely. User names and passwords in an address
// would show in logs. Twilio fetches from elsewhere, so what matters is the address alone, not
// whether it answers here.
func httpsAddress(v string) bool {
	u, err := url.Parse(v)
	return err == nil && strings.EqualFold(u.Scheme, "https") && u.Host != "" && u.User == nil && !strings.ContainsAny(v, " \t\n")
}
