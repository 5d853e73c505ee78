package pages_test

import (
	"html"
	"regexp"
	"testing"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/hosttest"
)

// The page Statistics counts calls, says what its columns mean and in which time zone weeks begin,
// and keeps what was typed wrongly.
func TestStatisticsOnAPage(t *testing.T) {
	t.Parallel()
	s := newSite(t, options{})
	b := s.loggedIn("")
	b.get("/statistics").is(200).has("12 weeks together", "no calls", "What the columns count")
	id := s.loggedIn("alice").create()
	s.call(id, "CA01")
	s.end(id, "CA01")
	s.call(id, "CA02") // in progress
	hosttest.Eventually(t, "the ended call is counted", func() bool {
		row := regexp.MustCompile(`(?s)id="statistics-total".*?</tr>`).FindString(b.get("/statistics").body)
		return regexp.MustCompile(`"Calls">1<.*"Answered">0<.*"Messages">0<.*"Hang-ups">1<.*"Missed">0<.*"Median">–<`).MatchString(row)
	})
	b.get("/statistics").has("weeks begin on Monday at midnight, America/New_York", "No team reached", `aria-current="page">Statistics`)
	v := b.get("/statistics?team=devops&from=2026-03-31&to=2026-04-01&zone=UTC").is(200).has("30 Mar 2026 to 5 Apr 2026", "1 week together", "midnight, UTC", `value="2026-03-31"`, `<option value="devops" selected>DevOps`)
	csv := regexp.MustCompile(`href="([^"]+format=csv[^"]*)"`).FindStringSubmatch(v.body)
	if csv == nil {
		t.Fatal("the page has no link to the CSV")
	}
	b.get(html.UnescapeString(csv[1])).is(200).has("week,from,to,")

	v = b.get("/statistics?from=31.3.&zone=UTC").is(422).has(`href="#statistics-from"`, `value="31.3."`, "cannot be read: write it as 2026-03-31", "12 weeks together", `value="UTC"`, "midnight, UTC")
	v.has(`aria-invalid="true" aria-describedby="statistics-error"`)
	b.get("/statistics?team=support&zone=UTC").is(422).has(`href="#statistics-team"`, `There is no team &#34;support&#34;, and no call of this time reached it: use one of devops`, "12 weeks together", "midnight, UTC")
	b.get("/statistics?zone=Vienna").is(422).has(`There is no time zone &#34;Vienna&#34;`)
}
