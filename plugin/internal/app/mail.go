package app

import (
	"fmt"
	"html"
	"strings"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/effect"
)

// mailText is a mail as plain text. The host adds the links to alert and audio. It says the same as
// the HTML, for programs that show no other.
func mailText(m effect.Mail) string {
	var b strings.Builder
	b.WriteString(m.Lead + "\n\n")
	for _, f := range m.Fields {
		fmt.Fprintf(&b, "%s: %s\n", f.Label, oneLine(f.Value))
	}
	if m.Transcript != "" {
		b.WriteString("\nTranscript:\n" + strings.TrimSpace(m.Transcript) + "\n")
	}
	return b.String()
}

// mailHTML is a mail as HTML. Numbers can be called with a touch. Everything in it is escaped:
// names, places and transcripts come from callers.
func mailHTML(m effect.Mail) string {
	var b strings.Builder
	b.WriteString("<p>" + html.EscapeString(m.Lead) + "</p>\n<table>\n")
	for _, f := range m.Fields {
		value := html.EscapeString(oneLine(f.Value))
		if f.Format == integration.FieldPhone {
			value = `<a href="tel:` + value + `">` + value + "</a>"
		}
		b.WriteString(`<tr><th align="left">` + html.EscapeString(f.Label) + "</th><td>" + value + "</td></tr>\n")
	}
	b.WriteString("</table>\n")
	if m.Transcript != "" {
		b.WriteString("<p>Transcript:</p>\n<blockquote>" + strings.ReplaceAll(html.EscapeString(strings.TrimSpace(m.Transcript)), "\n", "<br>\n") + "</blockquote>\n")
	}
	return b.String()
}

// oneLine keeps a value from looking like another line of the mail, as one with a line break could.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
