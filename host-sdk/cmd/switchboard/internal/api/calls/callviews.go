package calls

import (
	"net/url"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/api/apikit"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/names"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// listedCall is a call in a list: its view, and what its record adds.
type listedCall struct {
	callView
	// As it was when the call was last written.
	IntegrationName string        `json:"integration_name"`
	Live            bool          `json:"live"`
	Unheard         int           `json:"unheard"` // recordings that nobody has heard
	Alert           callAlertView `json:"alert"`
}

// callAlertView names the alert of a call; "" where nothing is known.
type callAlertView struct {
	Key   string `json:"key"`
	ID    string `json:"id"`
	URL   string `json:"url"`
	Title string `json:"title"`
}

// recordView is the whole record of a call.
type recordView struct {
	listedCall
	Fields     []fieldView     `json:"fields"`
	Story      []logView       `json:"story"`
	Recordings []recordingView `json:"recordings"`
	Notes      []noteView      `json:"notes"`
}

// recordingView is a recording of a call.
type recordingView struct {
	attachmentView
	Heard     []heardView `json:"heard"`
	DeletedAt *time.Time  `json:"deleted_at"` // null: it is there
	DeletedBy string      `json:"deleted_by"` // "": nobody, or its retention was over
}

// heardView says who has heard a recording, and when first.
type heardView struct {
	User     string     `json:"user"`
	UserName string     `json:"user_name"`
	At       *time.Time `json:"at"`
}

// noteView is what a person wrote about a call.
type noteView struct {
	ID       string     `json:"id"`
	Time     *time.Time `json:"time"`
	User     string     `json:"user"`
	UserName string     `json:"user_name"`
	Text     string     `json:"text"`
}

// listCall shows a record in a list.
func listCall(c store.Call) listedCall {
	return listedCall{viewCall(c.Integration, &c.View), c.IntegrationName, c.Live, c.Unheard, callAlertView(c.Alert)}
}

// viewNote shows a note.
func viewNote(n *names.Lookup, note store.Note) noteView {
	return noteView{note.ID, apikit.Moment(note.At), note.By, n.User(note.By), note.Text}
}

// viewRecord shows a record, with the name beside each id. n is made for the answer. Lists are
// never null.
func (o *Operations) viewRecord(n *names.Lookup, c store.Call) recordView {
	view := recordView{listedCall: listCall(c), Fields: []fieldView{}, Story: []logView{}, Recordings: []recordingView{}, Notes: []noteView{}}
	for _, f := range c.Fields {
		view.Fields = append(view.Fields, fieldView(f))
	}
	for _, l := range c.Story {
		view.Story = append(view.Story, logView{apikit.Moment(l.At), l.Actor, n.User(l.Actor), l.Text})
	}
	for _, r := range c.Recordings {
		out := recordingView{attachmentView: attachmentView{
			Label: r.Label, Ref: r.Media.Ref, URL: o.PublicURL + apikit.Prefix + "/media/" + url.PathEscape(r.Media.Ref), Name: r.Media.Name,
			ContentType: r.Media.ContentType, Bytes: r.Media.Bytes, Duration: r.Media.Duration.Seconds(), At: apikit.Moment(r.At),
		}, Heard: []heardView{}, DeletedAt: apikit.Moment(r.DeletedAt), DeletedBy: r.DeletedBy}
		for _, h := range r.Heard {
			out.Heard = append(out.Heard, heardView{h.By, n.User(h.By), apikit.Moment(h.At)})
		}
		view.Recordings = append(view.Recordings, out)
	}
	for _, note := range c.Notes {
		view.Notes = append(view.Notes, viewNote(n, note))
	}
	return view
}
