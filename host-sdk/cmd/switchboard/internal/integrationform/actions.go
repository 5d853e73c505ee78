package integrationform

import (
	"context"
	"fmt"
	"html/template"
	"slices"
	"strings"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/httpkit"
	"github.com/livecallrouting/livecall/host-sdk/form"
	"github.com/livecallrouting/livecall/host-sdk/integration"
)

// Action is one of the plugin's actions. Its HTML belongs into a form of its own: the key Enter in
// one of its fields must run this action and no other. The result of a run is shown below its own
// action only.
type Action struct {
	integration.ActionDescription
	HTML   template.HTML
	Result *integration.ActionResult // of the run that this page shows; nil: none
}

// input is the control of an action's field. It is what the template draws of an
// integration.ActionField.
type input struct {
	integration.ActionField
	Control string                   // its type
	Value   string                   // as it was typed
	Choices []integration.ActionLine // lines of the result with a value to choose; none: any text
	Pick    bool                     // a choice of these alone
}

// Tone is the colour of the result: what was possible and warns of something is no success.
func (a Action) Tone() string {
	warns := func(l integration.ActionLine) bool { return l.Level == "warning" }
	switch {
	case !a.Result.OK:
		return "bad"
	case slices.ContainsFunc(a.Result.Lines, warns):
		return "warn"
	}
	return "ok"
}

// mostChoices is how many lines with a value to choose are read out below the control that has all
// of them.
const mostChoices = 20

// Shown are the lines of the result that the page shows.
func (a Action) Shown() []integration.ActionLine {
	var list []integration.ActionLine
	choices := 0
	for _, line := range a.Result.Lines {
		if line.Choice != "" {
			if choices++; choices > mostChoices {
				continue
			}
		}
		list = append(list, line)
	}
	if more := choices - mostChoices; more > 0 {
		list = append(list, integration.ActionLine{Level: "info", Text: fmt.Sprintf("%d more can be chosen above.", more)})
	}
	return list
}

// inputs are the controls of an action, with what was typed. Where the result lists values of a
// field, they can be chosen; a text that is none of them is kept, in a control that takes any.
func inputs(a Action, typed map[string]string) []input {
	var list []input
	for _, field := range a.Fields {
		in := input{ActionField: field}
		in.Control, in.Value = form.DateControl(field.Format, typed[field.Name])
		// Nothing typed can always be replaced by a choice.
		in.Pick = in.Value == ""
		if a.Result != nil {
			for _, line := range a.Result.Lines {
				if line.Field == field.Name && line.Choice != "" {
					in.Choices, in.Pick = append(in.Choices, line), in.Pick || line.Choice == in.Value
				}
			}
		}
		in.Pick = in.Pick && len(in.Choices) > 0
		list = append(list, in)
	}
	return list
}

// Done is an action that was run, with its result: one that could not be run has a line that says
// why. It is kept in memory for the redirect after a run; see once.
type Done struct {
	Nonce  string // that finds it again, see Forms.Done
	Name   string
	Values map[string]string
	Result *integration.ActionResult
}

// actions renders the plugin's actions; the one that was just run has its result. Each has a random
// number of its own, so that running one twice is not running another.
func actions(all []integration.ActionDescription, parsed *form.Form, done Done) ([]Action, error) {
	out := make([]Action, 0, len(all))
	for _, about := range all {
		a := Action{ActionDescription: about}
		var values map[string]string
		if done.Name == about.Name {
			a.Result, values = done.Result, done.Values
		}
		var err error
		a.HTML, err = render("action", struct {
			Action
			Nonce   string
			Inputs  []input
			Options map[string]bool
		}{a, newNonce(), inputs(a, values), keys(parsed)})
		if err != nil {
			return nil, err
		}
		out = append(out, a)
	}
	return out, nil
}

// ActionName is the action that a submission wants to run; "" if it wants to save.
func (s Submission) ActionName() string { return s.Values.Get("action") }

// RunAction runs an action of a stored integration once, however often its form is posted.
func (f *Forms) RunAction(ctx context.Context, id, name string, s Submission) (Done, error) {
	done := Done{Nonce: s.Values.Get("nonce"), Name: name, Values: map[string]string{}}
	// A script may send none.
	if len(done.Nonce) != nonceLength {
		done.Nonce = newNonce() // the result is found by it
	}
	// Values have a prefix, so that an action's field cannot be taken for the nonce.
	for key := range s.Values {
		if field, ok := strings.CutPrefix(key, "value."); ok {
			done.Values[field] = form.DateValue(s.Values.Get("format."+field), strings.TrimSpace(s.Values.Get(key)))
		}
	}
	// The result is shared by all clicks: the second one gets the first one's.
	_, err := f.once.do(done.Nonce, s.sum(id), func() (any, error) {
		result, err := f.cfg.Engine.RunAction(ctx, id, name, done.Values)
		switch kind := integration.KindOf(err); {
		case err == nil:
		case kind == integration.KindNotFound || kind == integration.KindInternal:
			return nil, err // an error of the page, not a result of the action
		default:
			result = integration.ActionResult{Lines: []integration.ActionLine{{Level: "error", Text: httpkit.Message(err)}}}
		}
		done.Result = &result
		return done, nil
	})
	if err != nil {
		return Done{}, err
	}
	return f.Done(done.Nonce), nil
}

// Done is the action that was run with this nonce, for the page that shows its result; the zero
// Done if that is not remembered. Another host's memory is another: behind a load balancer the
// result may be missing.
func (f *Forms) Done(nonce string) Done {
	done, _ := f.once.result(nonce).(Done)
	return done
}
