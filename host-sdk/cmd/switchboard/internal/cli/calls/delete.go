package calls

import (
	"errors"
	"fmt"
	"strings"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/admin"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/cli/command"
	"github.com/livecallrouting/livecall/host-sdk/phone"
)

// RecordingDelete is recording delete.
type RecordingDelete struct {
	command.AskFlags
	ID string `arg:"" help:"The recording's ref, as call show shows it: media: and 64 hexadecimal digits."`
}

// Help is shown by recording delete --help.
func (RecordingDelete) Help() string {
	return "Deletes the sound of a recording and what was understood of it, here and at the telephone service; the record of its call says who deleted it. Asks the running host."
}

// Run says what was deleted. The telephone service is asked later, and again until it has done so.
func (c RecordingDelete) Run(s *command.Surroundings) error {
	resolved, err := c.Settings(s)
	if err != nil {
		return err
	}
	if c.ID == "" {
		return errors.New("<id> is empty: name the recording's ref, as switchboard call show shows it")
	}
	out, err := admin.DeleteRecording(s.Ctx, resolved, c.ID)
	if err != nil {
		return err
	}
	if c.JSON {
		return command.PrintJSON(s.Stdout, out)
	}
	_, err = fmt.Fprintf(s.Stdout, "%s is deleted here, and is being deleted at the telephone service (call %s)\n", out.Ref, strings.Join(out.Calls, ", "))
	return err
}

// CallDelete is call delete.
type CallDelete struct {
	command.AskFlags
	ID string `arg:"" help:"The call, as call list shows it."`
}

// Help is shown by call delete --help.
func (CallDelete) Help() string {
	return "Deletes the record of a call that is over, with its story, notes and recordings, here and at the telephone service. Its alert stays. Asks the running host."
}

// Run says that it is deleted. The telephone service is asked later, and again until it has done
// so.
func (c CallDelete) Run(s *command.Surroundings) error {
	resolved, err := c.Settings(s)
	if err != nil {
		return err
	}
	if c.ID == "" {
		return errors.New("<id> is empty: name the call, as switchboard call list shows it")
	}
	if err := admin.DeleteCall(s.Ctx, resolved, c.ID); err != nil {
		return ofCalls(err)
	}
	if c.JSON {
		return command.PrintJSON(s.Stdout, map[string]string{"sid": c.ID})
	}
	_, err = fmt.Fprintf(s.Stdout, "%s is deleted\n", c.ID)
	return err
}

// AlertDelete is alert delete.
type AlertDelete struct {
	command.AskFlags
	ID string `arg:"" help:"The alert's id."`
}

// Help is shown by alert delete --help.
func (AlertDelete) Help() string {
	return "Deletes an alert that is resolved or dropped, with its log. The record of its call stays. Asks the running host."
}

// Run says that it is deleted.
func (c AlertDelete) Run(s *command.Surroundings) error {
	resolved, err := c.Settings(s)
	if err != nil {
		return err
	}
	if c.ID == "" {
		return errors.New("<id> is empty: name the alert's id, as switchboard alert list shows it")
	}
	if err := admin.DeleteAlert(s.Ctx, resolved, c.ID); err != nil {
		return ofAlerts(err)
	}
	if c.JSON {
		return command.PrintJSON(s.Stdout, map[string]string{"id": c.ID})
	}
	_, err = fmt.Fprintf(s.Stdout, "%s is deleted\n", c.ID)
	return err
}

// Forget is forget.
type Forget struct {
	command.AskFlags
	Number string `arg:"" help:"The caller's number, with + and the country code, such as +12025550143."`
}

// Help is shown by forget --help.
func (Forget) Help() string {
	return "Removes all calls from a number with their recordings, notes and alerts, and the number wherever else it was written; at the telephone service the recordings and the records of the calls. It is refused while a call from the number is in progress, its message is being delivered, or its alert is queued, open or acknowledged. Asks the running host."
}

// Run prints what was removed, what is left to do, and what lies outside.
func (c Forget) Run(s *command.Surroundings) error {
	// Also by the host; but what is no number needs none.
	if _, err := phone.ReadCalled(c.Number); err != nil {
		return err
	}
	resolved, err := c.Settings(s)
	if err != nil {
		return err
	}
	out, err := admin.Forget(s.Ctx, resolved, c.Number)
	if err != nil {
		return err
	}
	if c.JSON {
		return command.PrintJSON(s.Stdout, out)
	}
	var text strings.Builder
	if out.Calls+out.Sessions+out.Alerts+out.Texts == 0 {
		text.WriteString("Nothing was known of this number.\n")
	} else {
		text.WriteString("Removed:\n")
		for _, part := range []struct {
			what string
			n    int
		}{
			{"calls", out.Calls}, {"states of calls", out.Sessions}, {"recordings", out.Recordings}, {"alerts", out.Alerts},
			{"work that waited", out.Work}, {"the number in other texts", out.Texts},
		} {
			fmt.Fprintf(&text, "  %-26s %d\n", part.what, part.n)
		}
	}
	// The host goes on trying: these are not lost.
	for _, p := range out.Pending {
		reason := p.Reason
		if reason == "" {
			reason = "it was not tried yet"
		}
		fmt.Fprintf(&text, "Not deleted at the telephone service yet: call %s: %s\n", p.Call, reason)
	}
	for _, o := range out.Outside {
		text.WriteString(o + "\n")
	}
	_, err = fmt.Fprint(s.Stdout, text.String())
	return err
}
