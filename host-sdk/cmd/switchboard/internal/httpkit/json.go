package httpkit

import (
	"bytes"
	"encoding/json"
	"net/http"
)

// WriteJSON answers with v. Values that cannot be encoded are a defect and answered 500. It is
// encoded into memory first, so that a defect can still change the status.
func WriteJSON(w http.ResponseWriter, status int, v any) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	// The answer is never put into HTML, and people read addresses in it.
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		WriteError(w, http.StatusInternalServerError, "internal", "the response could not be encoded as JSON")
		return
	}
	w.Header().Set("Content-Type", "application/json")
	// A route that may be cached has said so before.
	if w.Header().Get("Cache-Control") == "" {
		w.Header().Set("Cache-Control", "no-store")
	}
	w.WriteHeader(status)
	_, _ = w.Write(buf.Bytes()) // the client is gone if this fails
}

// ErrorBody is the shape of every JSON error.
type ErrorBody struct {
	Error ErrorDetail `json:"error"`
}

// ErrorDetail is one error: a kind for programs, a message for people.
type ErrorDetail struct {
	Kind    string `json:"kind"`
	Message string `json:"message"`
}

// WriteError answers with an error in the one shape.
func WriteError(w http.ResponseWriter, status int, kind, message string) {
	WriteJSON(w, status, ErrorBody{ErrorDetail{Kind: kind, Message: message}})
}
