package control

import (
	"html/template"
	"net/http"
	"time"
)

var pageTemplate = template.Must(template.New("page").Parse(`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>twiliosim</title>
<style>body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:60rem;padding:0 1rem;color-scheme:light dark}table{border-collapse:collapse}
td,th{text-align:left;padding:.2rem .8rem .2rem 0;vertical-align:top}code{font-family:ui-monospace,monospace}</style></head><body>
<h1>twiliosim</h1>
<p>A simulated Twilio account, <code>{{.Account}}</code>, region {{.Region}}. Simulated time: {{.Now}}.</p>
<h2>Numbers</h2><table><tr><th>number</th><th>VoiceUrl</th></tr>
{{range .Numbers}}<tr><td>{{.PhoneNumber}}</td><td><code>{{.VoiceURL}}</code></td></tr>{{else}}<tr><td>none</td></tr>{{end}}</table>
<h2>Telephones</h2><table><tr><th>number</th><th>behaviour</th><th>ringing</th></tr>
{{range .Phones}}<tr><td>{{.Number}}</td><td>{{.Behaviour}}</td><td>{{.Ringing}}</td></tr>{{else}}<tr><td>none yet</td></tr>{{end}}</table>
<h2>Calls</h2><table><tr><th>from</th><th>to</th><th>direction</th><th>status</th><th>transcript</th></tr>
{{range .Calls}}<tr><td>{{.From}}</td><td>{{.To}}</td><td>{{.Direction}}</td><td>{{.Status}}</td><td><a href="/sim/calls/{{.Sid}}">{{.Sid}}</a></td></tr>{{else}}<tr><td>none yet</td></tr>{{end}}</table>
<h2>Addresses</h2><ul><li>REST API: <code>/2010-04-01/</code></li>
<li>control: <a href="/sim/calls">/sim/calls</a>, <a href="/sim/phones">/sim/phones</a>, <a href="/sim/numbers">/sim/numbers</a>, <a href="/sim/events">/sim/events</a>, <a href="/sim/violations">/sim/violations</a>, <a href="/sim/faults">/sim/faults</a></li></ul>
</body></html>
`))

// page is the page at /: addresses, telephones and calls.
func (s *Server) page(w http.ResponseWriter, _ *http.Request) {
	a := s.account
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_ = pageTemplate.Execute(w, map[string]any{"Account": a.Config.AccountSid, "Region": a.Config.Region, "Now": a.Clock.Now().Format(time.DateTime),
		"Numbers": a.AllNumbers(), "Phones": s.phoneViews(), "Calls": s.views(false)})
}
