package admin

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Client is a session, or an API key, of a server.
type Client struct {
	URL   string // without a final slash
	Token string
	HTTP  *http.Client // default: one with a time limit of 30 s
	Made  *Made        // notes what is made; nil: nothing does
}

var defaultHTTP = &http.Client{
	Timeout:       30 * time.Second,
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// Do sends a request with the client's token and returns the answer with its body read.
func (c *Client) Do(r *http.Request) (*http.Response, []byte, error) {
	if c.Token != "" {
		r.Header.Set("Authorization", "Bearer "+c.Token)
	}
	client := c.HTTP
	if client == nil {
		client = defaultHTTP
	}
	resp, err := client.Do(r)
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	return resp, body, err
}

// Login begins a session of a user. The URL must be the server's public URL.
func Login(ctx context.Context, serverURL, username, password string) (*Client, error) {
	c := &Client{URL: strings.TrimSuffix(serverURL, "/")}
	form := url.Values{"username": {username}, "password": {password}}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost,
		c.URL+"/api/v2/identity/providers/basic?noRedirect=1", strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Referer", c.URL+"/")
	resp, body, err := c.Do(r)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("log in as %s at %s: %s: %s", username, c.URL, resp.Status, bytes.TrimSpace(body))
	}
	c.Token = strings.TrimSpace(string(body))
	return c, nil
}

// Error is what a server answers instead of, or beside, data.
type Error struct {
	Status int // of HTTP
	Errors []struct {
		Message    string
		Path       []any
		Extensions struct{ Code string }
	}
	Body string // if it is not JSON
}

// Error implements error.
func (e *Error) Error() string {
	var texts []string
	for _, one := range e.Errors {
		texts = append(texts, strings.TrimSpace(one.Message+" "+one.Extensions.Code))
	}
	if len(texts) == 0 {
		texts = []string{strings.TrimSpace(e.Body)}
	}
	return fmt.Sprintf("GoAlert answered %d: %s", e.Status, strings.Join(texts, "; "))
}

// Request is the body of a GraphQL request. With an API key Query may be missing.
type Request struct {
	Query         string         `json:"query,omitempty"`
	OperationName string         `json:"operationName,omitempty"`
	Variables     map[string]any `json:"variables,omitempty"`
}

// Send sends a GraphQL request and decodes the answer's data into out, unless that is nil. Errors
// of the server are of type *Error; data beside them is decoded all the same.
func (c *Client) Send(ctx context.Context, req Request, out any) error {
	text, err := json.Marshal(req)
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.URL+"/api/graphql", bytes.NewReader(text))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	resp, body, err := c.Do(r)
	if err != nil {
		return err
	}
	failed := &Error{Status: resp.StatusCode}
	var answer struct{ Data json.RawMessage }
	if json.Unmarshal(body, &answer) != nil || json.Unmarshal(body, failed) != nil {
		failed.Body = string(body)
		return failed
	}
	if out != nil && len(answer.Data) > 0 {
		if err := json.Unmarshal(answer.Data, out); err != nil {
			return fmt.Errorf("decode %s: %w", answer.Data, err)
		}
	}
	if len(failed.Errors) > 0 || resp.StatusCode != http.StatusOK {
		return failed
	}
	return nil
}

// Query sends a document that has one operation and no variables.
func (c *Client) Query(ctx context.Context, document string, out any) error {
	return c.Send(ctx, Request{Query: document}, out)
}

// create runs one mutation with its input written into the document, so that no name of an input
// type needs to be known, and returns its result.
func create[T any](ctx context.Context, c *Client, mutation, input, fields string) (T, error) {
	var out map[string]T
	err := c.Query(ctx, "mutation{"+mutation+"(input:"+input+")"+fields+"}", &out)
	if err != nil {
		err = fmt.Errorf("%s: %w", mutation, err)
	}
	return out[mutation], err
}

// text is a GraphQL string. JSON's escapes are GraphQL's too.
func text(s string) string {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(s)
	return strings.TrimSuffix(b.String(), "\n")
}

// texts is a GraphQL list of strings.
func texts(all []string) string {
	quoted := make([]string, len(all))
	for i, s := range all {
		quoted[i] = text(s)
	}
	return "[" + strings.Join(quoted, ",") + "]"
}

// stamp is a time as a GraphQL string.
func stamp(t time.Time) string { return text(t.UTC().Format(time.RFC3339)) }
