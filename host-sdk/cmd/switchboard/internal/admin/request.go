package admin

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/api/apikit"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/httpkit"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/settings"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/wording"
)

// maxAnswer bounds what is read of the running host's answer, in bytes.
const maxAnswer = 8 << 20

// noAnswerError is of a request that the host may have done all the same: what it answered is not
// known.
type noAnswerError struct{ error }

// direct sends requests. A redirect is an answer like any other: followed, a deletion would become
// a look at another page, and the token would go where nobody has sent it.
var direct = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}

// askAPI is askFor for those who need nothing but the decoded answer.
func askAPI(ctx context.Context, s settings.Settings, base, method, path string, body, answer any) error {
	_, err := askFor(ctx, s, base, method, path, body, answer)
	return err
}

// askFor sends a request to the running host at base, decodes its answer, and returns it as it
// came. A nil body sends none; a nil answer says that there is nothing to tell. Errors are for
// people: they say which host was asked and what to do. A refusal of the API is repeated with its
// own words. An answer that no switchboard of this version gives is an error, whatever could be
// made of it.
func askFor(ctx context.Context, s settings.Settings, base, method, path string, body, answer any) (json.RawMessage, error) {
	token, err := apiToken(s, base)
	if err != nil {
		return nil, err
	}
	var sent io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		sent = bytes.NewReader(text)
	}
	req, err := http.NewRequestWithContext(ctx, method, base+apikit.Prefix+path, sent)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := direct.Do(req)
	if err != nil {
		return nil, noAnswerError{fmt.Errorf("the running switchboard does not answer at %s: %w: see whether it runs, and whether its address is right", base, wording.RootCause(err))}
	}
	defer func() { _ = resp.Body.Close() }()
	data, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return nil, noAnswerError{fmt.Errorf("the running switchboard at %s: %w", base, err)}
	}
	if resp.StatusCode/100 != 2 {
		return nil, refused(base, resp, data)
	}
	if answer == nil && resp.StatusCode == http.StatusNoContent {
		return nil, nil
	}
	if answer == nil || !understood(data, answer) {
		return nil, strange(base, resp, "what this command does not understand")
	}
	return data, nil
}

// apiToken is the token that the host at base is asked with.
func apiToken(s settings.Settings, base string) (string, error) {
	if token := s.APIToken.Reveal(); token != "" {
		return token, nil
	}
	// The host has made it at its first start.
	kept, err := os.ReadFile(filepath.Join(s.DataDir, settings.APITokenFile))
	if err != nil {
		return "", fmt.Errorf("the running switchboard at %s has an API token of its own: set SWITCHBOARD_API_TOKEN here too, or use the --data-dir in which it keeps it", base)
	}
	return strings.TrimSpace(string(kept)), nil
}

// refused is the error of an answer that is no success.
func refused(base string, resp *http.Response, data []byte) error {
	if resp.StatusCode/100 == 3 {
		return strange(base, resp, "with a redirect to "+target(resp))
	}
	var said struct {
		httpkit.ErrorBody
		Problems []apikit.Problem `json:"problems"`
	}
	unread := json.Unmarshal(data, &said) != nil
	message := said.Error.Message
	for _, p := range said.Problems {
		message = strings.TrimPrefix(message+"; "+p.Message, "; ")
	}
	switch {
	// Something else may listen there, such as a proxy with a page of its own.
	case unread || message == "":
		return strange(base, resp, fmt.Sprintf("with status %d and no readable error", resp.StatusCode))
	case resp.StatusCode == http.StatusUnauthorized:
		return fmt.Errorf("the running switchboard at %s refuses the API token: set SWITCHBOARD_API_TOKEN to the one with which it was started, or to a token of an admin, or run this as its user with its --data-dir", base)
	case resp.StatusCode == http.StatusMethodNotAllowed, resp.StatusCode == http.StatusNotFound && message == apikit.NothingHere:
		return strange(base, resp, "that it does not know this request")
	}
	return fmt.Errorf("the running switchboard at %s answered: %s", base, message)
}

// strange is the error of an answer that no switchboard of this version gives.
func strange(base string, resp *http.Response, what string) error {
	remedy := "see whether a switchboard listens there, and whether its version is that of this command, which switchboard version prints"
	if resp.StatusCode/100 == 5 {
		remedy = "see whether it runs, as a proxy in front of it may have answered"
	}
	// Without the query, which may name a caller.
	path := strings.TrimPrefix(resp.Request.URL.Path, apikit.Prefix)
	return noAnswerError{fmt.Errorf("the running switchboard at %s answered %s %s %s: %s", base, resp.Request.Method, path, what, remedy)}
}

// target is where a redirect leads, without what may be a secret in it.
func target(resp *http.Response) string {
	to, err := resp.Location()
	if err != nil {
		return "nowhere"
	}
	return (&url.URL{Scheme: to.Scheme, Host: to.Host, Path: to.Path}).String()
}

// understood decodes the answer of a host into v and reports whether it has the shape of v. An
// answer of another shape often decodes all the same, as missing members are empty ones: so each
// object must have its first member, which says what it is about, such as its id.
func understood(data []byte, v any) bool {
	return json.Unmarshal(data, v) == nil && hasFirstMembers(data, reflect.TypeOf(v).Elem())
}

// hasFirstMembers reports whether a JSON value is an object with the first member of the struct t,
// or a list of such; of other types, whether it is something.
func hasFirstMembers(data []byte, t reflect.Type) bool {
	if bytes.Equal(bytes.TrimSpace(data), []byte("null")) {
		return false
	}
	if t.Kind() == reflect.Slice {
		var list []json.RawMessage
		if json.Unmarshal(data, &list) != nil {
			return false
		}
		return !slices.ContainsFunc(list, func(one json.RawMessage) bool { return !hasFirstMembers(one, t.Elem()) })
	}
	if t.Kind() != reflect.Struct || t.NumField() == 0 {
		return true
	}
	first := t.Field(0)
	if first.Anonymous {
		return hasFirstMembers(data, first.Type)
	}
	name, _, _ := strings.Cut(first.Tag.Get("json"), ",")
	var members map[string]json.RawMessage
	if json.Unmarshal(data, &members) != nil {
		return false
	}
	for member := range members {
		if strings.EqualFold(member, cmp.Or(name, first.Name)) {
			return true
		}
	}
	return false
}
