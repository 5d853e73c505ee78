package calls

import (
	"encoding/json"
	"fmt"
	"net/http"
	"text/tabwriter"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/cli/command"
)

// shownNote is what a person wrote about a call, as the API answers it.
type shownNote struct {
	ID   string
	Time time.Time
	Name string `json:"user_name"`
	Text string
}

// noteFlags name the call of a note.
type noteFlags struct {
	command.AskFlags
	Call string `arg:"" help:"The call, as call list shows it, or alert show of its alert."`
}

// path is the address of the call in the API.
func (f noteFlags) path() (string, error) {
	call, err := command.Named("call", f.Call, "switchboard call list")
	return "/calls/" + call, err
}

// NoteAdd is note add.
type NoteAdd struct {
	noteFlags
	Text string `arg:"" help:"What to note, in quotation marks."`
	User string `name:"user" required:"" placeholder:"ID" help:"In whose name: the id of a user."`
}

// Help is shown by note add --help.
func (NoteAdd) Help() string {
	return "Adds a note to a call, which is shown beside its alert too. " + command.HowRunning
}

// Run prints the note's id, which note delete takes.
func (c NoteAdd) Run(s *command.Surroundings) error {
	path, err := c.path()
	if err != nil {
		return err
	}
	var n shownNote
	printed, err := c.Running(s, http.MethodPost, path+"/notes", map[string]string{"user": c.User, "text": c.Text}, &n)
	if err != nil || printed {
		return ofCalls(err)
	}
	_, err = fmt.Fprintf(s.Stdout, "%s: noted by %s\n", n.ID, clean(n.Name))
	return err
}

// NoteList is note list.
type NoteList struct{ noteFlags }

// Help is shown by note list --help.
func (NoteList) Help() string {
	return "Lists the notes of a call; call show shows them with its story. " + command.HowRunning
}

// Run prints a line for each note.
func (c NoteList) Run(s *command.Surroundings) error {
	path, err := c.path()
	if err != nil {
		return err
	}
	var one struct {
		SID   string
		Notes json.RawMessage
	}
	asked := c.AskFlags
	asked.JSON = false // of the call the notes alone are printed
	if _, err := asked.Running(s, http.MethodGet, path, nil, &one); err != nil {
		return ofCalls(err)
	}
	if c.JSON {
		return command.PrintJSON(s.Stdout, one.Notes)
	}
	var notes []shownNote
	if err := json.Unmarshal(one.Notes, &notes); err != nil {
		return err
	}
	if len(notes) == 0 {
		_, err := fmt.Fprintln(s.Stdout, "The call has no note.")
		return err
	}
	w := tabwriter.NewWriter(s.Stdout, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(w, "ID\tTIME\tBY\tNOTE")
	for _, n := range notes {
		_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", n.ID, command.When(n.Time), clean(n.Name), forPeople(n.Text))
	}
	return w.Flush()
}

// NoteDelete is note delete.
type NoteDelete struct {
	noteFlags
	ID string `arg:"" help:"Id of the note, as note list shows it."`
}

// Help is shown by note delete --help.
func (NoteDelete) Help() string { return "Deletes a note of a call. " + command.HowRunning }

// Run says that it is deleted.
func (c NoteDelete) Run(s *command.Surroundings) error {
	path, err := c.path()
	if err != nil {
		return err
	}
	list := "switchboard note list " + c.Call
	id, err := command.Named("id", c.ID, list)
	if err == nil {
		err = c.Do(s, http.MethodDelete, path+"/notes/"+id, map[string]string{"id": c.ID}, clean(c.ID)+" is deleted")
	}
	return command.ListedBy(list, "there is no such note on this call", ofCalls(err))
}
