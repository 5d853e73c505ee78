package twiml

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// check says what is wrong with an attribute's value; "" means nothing is.
type check func(value string) string

// oneOf wants one of the values, in this spelling.
func oneOf(values ...string) check {
	return func(v string) string {
		if slices.Contains(values, v) {
			return ""
		}
		return "want one of " + strings.Join(values, ", ")
	}
}

// integer wants a whole number within both limits.
func integer(low, high int) check {
	return func(v string) string {
		n, err := strconv.Atoi(v)
		if err != nil || n < low || n > high {
			return fmt.Sprintf("want a whole number from %d to %d", low, high)
		}
		return ""
	}
}

// matches wants a pattern; want says it in words.
func matches(pattern, want string) check {
	re := regexp.MustCompile(pattern)
	return func(v string) string {
		if re.MatchString(v) {
			return ""
		}
		return "want " + want
	}
}

// or wants one of two checks to hold.
func or(a, b check) check {
	return func(v string) string {
		if a(v) == "" {
			return ""
		}
		return b(v)
	}
}

// words wants each word of a list, separated by spaces, to pass a check.
func words(of check) check {
	return func(v string) string {
		for _, w := range strings.Fields(v) {
			if bad := of(w); bad != "" {
				return bad
			}
		}
		return ""
	}
}

// anyText wants nothing.
func anyText(string) string { return "" }

// goodURL wants what Twilio can request: http or https, without an underscore in the host name
// (Twilio docs: api/errors/11100). A relative URL is resolved later.
func goodURL(v string) string {
	u, err := url.Parse(strings.TrimSpace(v))
	switch {
	case err != nil:
		return "want a URL"
	case u.IsAbs() && (u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == ""):
		return "want an http or https URL"
	case strings.Contains(u.Hostname(), "_"):
		return "underscore in the host name"
	}
	return ""
}

var (
	method   = oneOf("GET", "POST")
	boolean  = oneOf("true", "false")
	seconds  = integer(1, 1<<31)
	language = matches(`^[a-z]{2,3}(-[A-Za-z0-9]{2,4})*$`, "a language tag such as en-US")
	voice    = matches(`^(man|woman|alice|Polly\.[A-Za-z]+(-[A-Za-z]+)*|Google\.[A-Za-z]+(-[A-Za-z0-9]+)*)$`, "man, woman, alice, Polly.… or Google.…")
)
