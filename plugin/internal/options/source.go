package options

import (
	"net/url"
	"regexp"
	"strings"
)

// Source is what a prompt field holds: exactly one of the three. The zero Source is the default.
type Source struct {
	Text  string // spoken
	URL   string // https address of a sound file
	Media string // reference of an uploaded file, "media:…"
}

var mediaRef = regexp.MustCompile(`^media:[0-9a-f]{64}$`)

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

// sources reads all recording fields of a checked document. Empty fields are left out.
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

func isURL(v string) bool {
	lower := strings.ToLower(v)
	return strings.HasPrefix(lower, "https://") || strings.HasPrefix(lower, "http://")
}

func httpsAddress(v string) bool {
	u, err := url.Parse(v)
	return err == nil && strings.EqualFold(u.Scheme, "https") && u.Host != "" && u.User == nil && !strings.ContainsAny(v, " \t\n")
}
