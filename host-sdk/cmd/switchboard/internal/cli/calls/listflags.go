package calls

import (
	"net/url"
	"strconv"
)

// listFlags narrow a list of alerts or calls. The API checks their values, so that commands and
// programs are refused in the same words.
type listFlags struct {
	Team        string `name:"team" placeholder:"ID" help:"Only those of this team."`
	From        string `name:"from" placeholder:"NUMBER" help:"Only those from this number."`
	Integration string `name:"integration" placeholder:"ID" help:"Only those of this integration."`
	Since       string `name:"since" placeholder:"TIME" help:"Only those that began at or after this time, such as 2026-12-24T18:00:00Z, or date (UTC)."`
	Until       string `name:"until" placeholder:"TIME" help:"Only those that began before this time, or until the end of this date."`
	Unheard     bool   `name:"unheard" help:"Only those with a recording that nobody has heard."`
	Text        string `name:"search" placeholder:"TEXT" help:"Only those in which each of these words occurs."`
	Limit       int    `name:"limit" default:"50" placeholder:"N" help:"So many at most, the newest first; up to 1000."`
}

// query is the query of the API. more are parameters of one command; empty ones are left out.
func (f listFlags) query(more map[string]string) string {
	q := url.Values{"limit": {strconv.Itoa(f.Limit)}}
	for name, value := range map[string]string{"team": f.Team, "from": f.From, "integration": f.Integration, "since": f.Since, "until": f.Until, "q": f.Text} {
		if value != "" {
			q.Set(name, value)
		}
	}
	for name, value := range more {
		if value != "" {
			q.Set(name, value)
		}
	}
	if f.Unheard {
		q.Set("unheard", "true")
	}
	return "?" + q.Encode()
}
