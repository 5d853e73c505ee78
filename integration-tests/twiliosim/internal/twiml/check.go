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

func oneOf(values ...string) check {
	return func(v string) string {
		if slices.Contains(values, v) {
			return ""
		}
		return "want one of " + strings.Join(values, ", ")
	}
}

func integer(low, high int) check {
	return func(v string) string {
		n, err := strconv.Atoi(v)
		if err != nil || n < low || n > high {
			return fmt.Sprintf("want a whole number from %d to %d", low, high)
		}
		return ""
	}
}

func matches(pattern, want string) check {
	re := regexp.MustCompile(pattern)
	return func(v string) string {
		if re.MatchString(v) {
			return ""
		}
		return "want " + want
	}
}

func or(a, b check) check {
	return func(v string) string {
		if a(v) == "" {
			return ""
		}
		return b(v)
	}
}

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

func anyText(string) string { return "" }

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
