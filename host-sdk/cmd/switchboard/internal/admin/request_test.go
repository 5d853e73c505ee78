package admin

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/settings"
)

// What a host answers is understood or an error with a remedy, which repeats nothing that may be a
// secret. A redirect is not followed: the token is meant for one host.
func TestAnswersThatAreNoneOfOurs(t *testing.T) {
	t.Parallel()
	const another = "see whether a switchboard listens there, and whether its version is that of this command"
	const strange = "DELETE /recordings/media:x what this command does not understand: " + another
	for name, answer := range map[string]struct {
		status     int
		body, said string
	}{
		"ours":              {200, `{"ref": "media:x", "new": 1}`, ""},
		"no such page":      {404, "404 page not found", "answered DELETE /recordings/media:x with status 404 and no readable error: " + another},
		"no such route":     {404, `{"error":{"kind":"not_found","message":"there is nothing at this address: see /api/v1/openapi.json"}}`, "that it does not know this request: " + another},
		"no such recording": {404, `{"error":{"kind":"not_found","message":"there is no recording"}}`, "answered: there is no recording"},
		"no such method":    {405, `{"error":{"kind":"invalid","message":"the method is not possible here"}}`, "that it does not know this request: " + another},
		"another error":     {400, `{"error":"canary"}`, "with status 400 and no readable error: " + another},
		"problems":          {422, `{"problems":[{"path":"/at","code":"x","message":"at is no time"},{"message":"digits are none"}]}`, "answered: at is no time; digits are none"},
		"a proxy":           {502, "<html>", "with status 502 and no readable error: see whether it runs"},
		"a redirect":        {302, "", "with a redirect to https://elsewhere.example.com/login: " + another},
		"a login":           {200, "<html>canary", strange},
		"nothing":           {200, "", strange},
		"no content":        {204, "", strange},
		"null":              {200, "null", strange},
		"an empty object":   {200, "{}", strange},
		"another object":    {200, `{"id": 1}`, strange},
		"another type":      {200, `{"ref": {}}`, strange},
		"a list":            {200, `[{"ref": "media:x"}]`, strange},
		"two values":        {200, `{"ref": "media:x"} {}`, strange},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			asked := 0
			host := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				asked++
				w.Header().Set("Location", "https://u:canary@elsewhere.example.com/login?to=canary")
				w.WriteHeader(answer.status)
				_, _ = io.WriteString(w, answer.body)
			}))
			_, err := DeleteRecording(t.Context(), settings.Settings{Host: host.URL, APIToken: "canary token"}, "media:x")
			host.Close()
			if answer.said == "" && err != nil || answer.said != "" && (err == nil || !strings.Contains(err.Error(), answer.said) || !strings.Contains(err.Error(), "the running switchboard at "+host.URL)) || asked != 1 {
				t.Errorf("asked %d times: %v, want %q", asked, err, answer.said)
			}
			if err != nil && strings.Contains(err.Error(), "canary") {
				t.Errorf("%v repeats what may be a secret", err)
			}
		})
	}
}
