package tell

import (
	"strings"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/ways"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded/switchboardfile"
)

// namedAlone is how many people a warning names.
const namedAlone = 5

// Unreached says who is told of an alert by the phone alone, and by what messages reach people
// without a mail server; "": everybody is told. people are nil where another platform pages them.
// It is said at the start, when somebody looks.
func Unreached(people *ways.Ways, file *switchboardfile.File, mails bool) string {
	const remedy = "Set smtp_url"
	if people == nil {
		if mails {
			return ""
		}
		return "there is no mail server: voicemail messages are mailed to nobody. " + remedy
	}
	var alone []string
	all := people.People()
	for _, p := range all {
		if len(p.Ways) == 0 {
			alone = append(alone, p.Name)
		}
	}
	channels := false
	for _, t := range file.Teams {
		channels = channels || len(t.Channels) > 0
	}
	var text string
	switch {
	case !mails && len(alone) == len(all) && !channels:
		return "there is no mail server, and nobody has notify in the switchboard file: alerts and voicemail messages reach people by phone alone. " + remedy + ", or give people notify and teams channels"
	case !mails && channels:
		text = "there is no mail server: voicemail messages reach people by phone, and the teams' channels"
	case !mails:
		text = "there is no mail server: voicemail messages reach people by phone alone"
	case len(alone) == 0:
		return ""
	}
	if len(alone) > 0 {
		if text != "" {
			text += "; and "
		}
		names := alone
		if len(names) > namedAlone {
			names = append(names[:namedAlone:namedAlone], "others")
		}
		text += "by phone alone alerts reach " + strings.Join(names, ", ")
	}
	if mails {
		return text + ". Give them an email or notify in the switchboard file"
	}
	return text + ". " + remedy + ", or give them notify"
}
