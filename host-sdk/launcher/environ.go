package launcher

import (
	"maps"
	"slices"
)

// handedOn are the variables of the host's environment that every plugin gets, where the host has
// them: those that an HTTP client and dates need.
var handedOn = []string{
	"TZ", "LANG", "LC_ALL",
	"SSL_CERT_FILE", "SSL_CERT_DIR",
	"HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy",
}

// environ builds the whole environment of a process. Later entries win.
func environ(lookup func(string) (string, bool), wanted []string, extra map[string]string, own []string) []string {
	var env []string
	for _, name := range slices.Concat(handedOn, wanted) {
		if value, ok := lookup(name); ok {
			env = append(env, name+"="+value)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(extra)) {
		env = append(env, name+"="+extra[name])
	}
	return append(env, own...)
}
