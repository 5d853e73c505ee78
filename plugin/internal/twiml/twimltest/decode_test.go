package twimltest

import "testing"

func TestDecodeRefuses(t *testing.T) {
	t.Parallel()
	const head = `<?xml version="1.0" encoding="UTF-8"?>`
	for name, body := range map[string]string{
		"no declaration":    `<Response/>`,
		"empty":             ``,
		"other root":        head + `<Reply/>`,
		"two roots":         head + `<Response/><Response/>`,
		"unknown verb":      head + `<Response><Sms>x</Sms></Response>`,
		"wrong case":        head + `<Response><say>x</say></Response>`,
		"unknown attribute": head + `<Response><Hangup now="1"/></Response>`,
		"loose text":        head + `<Response>hello</Response>`,
		"nested":            head + `<Response><Say><Hangup/></Say></Response>`,
		"method":            head + `<Response><Redirect method="GET">https://x.example</Redirect></Response>`,
		"number":            head + `<Response><Pause length="x"/></Response>`,
		"cut":               head + `<Response><Hangup/>`,
		"dial without":      head + `<Response><Dial action="https://x.example" method="POST"/></Response>`,
	} {
		if doc, err := Decode([]byte(body)); err == nil {
			t.Errorf("%s: accepted as %+v", name, doc)
		}
	}
}
