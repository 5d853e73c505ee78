package oncall

import (
	"errors"
	"fmt"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/admin"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/api/apikit"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/cli/command"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/ways"
)

// UserTest is user test. It needs a running host: that has the credentials in force, and counts how
// often a person is rung.
type UserTest struct {
	command.AskFlags
	ID     string `arg:"" name:"id" help:"Id of the user in the switchboard file, such as alice."`
	Mail   bool   `name:"mail" help:"By mail alone."`
	Notify bool   `name:"notify" help:"At the addresses of notify alone."`
	Ring   bool   `name:"ring" help:"Ring their phones, one after the other, and say whether they pressed 1."`
	By     string `name:"by" placeholder:"INTEGRATION" help:"Id of the integration that rings; without it the first one in use that can."`
}

// Help is shown by user test --help.
func (UserTest) Help() string {
	return "Without an option mail and notify are tried. --ring makes a call, which costs money: at most five an hour for each person. Asks the running host. The exit status is 1 when a way does not work."
}

// Run prints what came of each way.
func (c UserTest) Run(s *command.Surroundings) error {
	// "" tries mail and notify, as does naming both.
	way := ""
	switch {
	case c.Ring && (c.Mail || c.Notify):
		return errors.New("--ring is tried alone: leave --mail and --notify out")
	case c.By != "" && !c.Ring:
		return errors.New("--by says which integration rings: give --ring too")
	case c.Ring:
		way = ways.Ring
	case c.Mail && c.Notify:
	case c.Mail:
		way = ways.Mail
	case c.Notify:
		way = ways.Notify
	}
	resolved, err := c.Settings(s)
	if err != nil {
		return err
	}
	results, err := admin.TestUser(s.Ctx, resolved, c.ID, way, c.By)
	if err != nil {
		return err
	}
	if c.JSON {
		err = command.PrintJSON(s.Stdout, apikit.List(results))
	}
	// One way that does not work makes the status 1, also with JSON; see ErrSaid.
	for _, r := range results {
		if !c.JSON {
			_, failed := fmt.Fprintln(s.Stdout, r.Line())
			err = errors.Join(err, failed)
		}
		if !r.OK {
			err = errors.Join(err, command.ErrSaid)
		}
	}
	return err
}
