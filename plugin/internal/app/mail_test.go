package app

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/effect"
)

func TestPT66MailIsTextAndHTML(t *testing.T) {
	t.Parallel()
	m := effect.Mail{
		Lead: "Somebody <x> & others left a message.",
		Fields: []integration.AlertField{
			{Label: "Caller", Value: "+12025550143", Format: integration.FieldPhone},
			// A name cannot pass for another line.
			{Label: "Team", Value: "R&D <Ops>\nLength: 3h", Format: integration.FieldText},
		},
		Transcript: "first line\n<b>second</b>\n",
	}
	const text = "Somebody <x> & others left a message.\n\nCaller: +12025550143\nTeam: R&D <Ops> Length: 3h\n\nTranscript:\nfirst line\n<b>second</b>\n"
	if diff := cmp.Diff(text, mailText(m)); diff != "" {
		t.Error(diff)
	}
	const page = `<p>Somebody &lt;x&gt; &amp; others left a message.</p>
<table>
<tr><th align="left">Caller</th><td><a href="tel:+12025550143">+12025550143</a></td></tr>
<tr><th align="left">Team</th><td>R&amp;D &lt;Ops&gt; Length: 3h</td></tr>
</table>
<p>Transcript:</p>
<blockquote>first line<br>
&lt;b&gt;second&lt;/b&gt;</blockquote>
`
	if diff := cmp.Diff(page, mailHTML(m)); diff != "" {
		t.Error(diff)
	}
}
