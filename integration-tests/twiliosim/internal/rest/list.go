package rest

import (
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/livecallrouting/livecall/integration-tests/twiliosim/internal/account"
)

// Sizes of pages. Source: Twilio docs, usage/twilios-response, list.
const (
	defaultPageSize = 50
	largestPageSize = 1000
)

// list answers with a page of rows.
func list(r *http.Request, name string, rows []any) (reply, *apiError) {
	size, e := pageParameter(r, "PageSize", defaultPageSize, 1)
	if e != nil {
		return reply{}, e
	}
	size = min(size, largestPageSize)
	page, e := pageParameter(r, "Page", 0, 0)
	if e != nil {
		return reply{}, e
	}
	// Clients follow next_page_uri, and pass on what it holds.
	at := func(p int) string {
		u := maps.Clone(r.URL.Query())
		if u == nil {
			u = url.Values{}
		}
		u.Set("PageSize", strconv.Itoa(size))
		u.Set("Page", strconv.Itoa(p))
		u.Del("PageToken")
		if p > 0 {
			u.Set("PageToken", "PA"+strconv.Itoa(p))
		}
		return r.URL.Path + "?" + u.Encode()
	}
	start := min(page*size, len(rows))
	end := min(start+size, len(rows))
	body := map[string]any{
		name: append([]any{}, rows[start:end]...), "page": page, "page_size": size, "start": start, "end": max(end-1, 0),
		"uri": at(page), "first_page_uri": at(0), "next_page_uri": nil, "previous_page_uri": nil,
	}
	if end < len(rows) {
		body["next_page_uri"] = at(page + 1)
	}
	if page > 0 {
		body["previous_page_uri"] = at(page - 1)
	}
	return ok(body)
}

// pageParameter reads a number of the query.
func pageParameter(r *http.Request, name string, fallback, least int) (int, *apiError) {
	v := r.URL.Query().Get(name)
	if v == "" {
		return fallback, nil
	}
	n, err := strconv.Atoi(v)
	if err != nil || n < least {
		return 0, badRequest(20001, "%s %s: want %d or more", name, v, least)
	}
	return n, nil
}

// matches reports whether a filter lets a value through; an empty one lets all.
func matches(filter, value string) bool { return filter == "" || filter == value }

// timeFilter reads Name, Name< and Name>; a date means its whole day (UTC), and a bound includes
// itself. Source: Twilio docs, voice/api/call-resource, list.
func timeFilter(r *http.Request, name string) (func(time.Time) bool, *apiError) {
	var checks []func(time.Time) bool
	for key, vs := range r.URL.Query() {
		op, found := strings.CutPrefix(key, name)
		if !found || len(vs) == 0 || vs[0] == "" || op != "" && op != "<" && op != ">" {
			continue
		}
		from, length, e := parseTime(key, vs[0])
		if e != nil {
			return nil, e
		}
		until := from.Add(length)
		checks = append(checks, func(t time.Time) bool {
			switch op {
			case "<":
				return t.Before(until)
			case ">":
				return !t.Before(from)
			}
			return !t.Before(from) && t.Before(until)
		})
	}
	return func(t time.Time) bool {
		if len(checks) > 0 && t.IsZero() {
			return false
		}
		for _, holds := range checks {
			if !holds(t.UTC().Truncate(time.Second)) {
				return false
			}
		}
		return true
	}, nil
}

// parseTime reads a time, which lasts a second, or a date, which lasts a day.
func parseTime(key, v string) (time.Time, time.Duration, *apiError) {
	if at, err := time.Parse(time.RFC3339, v); err == nil {
		return at, time.Second, nil
	}
	at, err := time.Parse(time.DateOnly, v)
	if err != nil {
		return at, 0, badRequest(20001, "%s %s is not a date", key, v)
	}
	return at, 24 * time.Hour, nil
}

// orNull is a field that is null when it is empty.
func orNull(v string) any {
	if v == "" {
		return nil
	}
	return v
}

// dateOrNull is a time that is null while it is not known.
func dateOrNull(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return account.Date(t)
}
