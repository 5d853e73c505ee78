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
	var alone, never []string // reached by phone alone, and not even by that
	all := people.People()
	for _, p := range all {
		switch {
		case len(p.Ways) > 0:
		case len(file.User(p.ID).Phones) == 0:
			never = append(never, p.Name)
		default:
			alone = append(alone, p.Name)
		}
	}
	channels := false
	for _, t := range file.Teams {
		channels = channels || len(t.Channels) > 0
	}
	var said []string
	switch {
	case !mails && len(alone)+len(never) == len(all) && !channels:
		said = append(said, "there is no mail server, and nobody has notify in the switchboard file: alerts and voicemail messages reach people by phone alone")
		alone = nil // everybody
	case !mails && channels:
		said = append(said, "there is no mail server: voicemail messages reach people by phone, and the teams' channels")
	case !mails:
		said = append(said, "there is no mail server: voicemail messages reach people by phone alone")
	}
	if len(alone) > 0 {
		said = append(said, "by phone alone alerts reach "+some(alone))
	}
	if len(never) > 0 {
		said = append(said, "in no way at all, as they have no phone either, alerts reach "+some(never))
	}
	switch text := strings.Join(said, "; and "); {
	case text == "":
		return ""
	case mails:
		return text + ". Give them an email or notify in the switchboard file"
	default:
		return text + ". " + remedy + ", or give people notify and teams channels"
	}
}

// some names a few, and says that there are more.
func some(names []string) string {
	if len(names) > namedAlone {
		names = append(names[:namedAlone:namedAlone], "others")
	}
	return strings.Join(names, ", ")
}
