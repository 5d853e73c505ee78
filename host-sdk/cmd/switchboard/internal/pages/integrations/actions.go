package integrations

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/pages/layout"
	"github.com/livecallrouting/livecall/host-sdk/integration"
)

// actionResult is the outcome of an action, remembered for the page that shows it.
type actionResult struct {
	name   string
	values map[string]string
	result *integration.ActionResult // nil: it failed
	failed string
}

// actionForms are the plugin's actions; the one that was just run has its result.
func (i *Integrations) actionForms(r *http.Request, actions []integration.ActionDescription) []actionForm {
	done, _ := i.once.result(r.URL.Query().Get("result")).(actionResult)
	forms := make([]actionForm, 0, len(actions))
	for _, a := range actions {
		f := actionForm{ActionDescription: a, Nonce: newNonce()}
		if done.name == a.Name {
			f.Result, f.Failed, f.Values = done.result, done.failed, done.values
		}
		forms = append(forms, f)
	}
	return forms
}

// RunAction runs an action once and leads back to the integration's page, which shows its result.
func (i *Integrations) RunAction(w http.ResponseWriter, r *http.Request) error {
	in, err := i.stored(r)
	if err != nil {
		return err
	}
	if err := layout.ReadForm(w, r); err != nil {
		return err
	}
	nonce, name := r.PostFormValue("nonce"), r.PathValue("name")
	// A script may send none.
	if len(nonce) != nonceLength {
		nonce = newNonce() // the result is found by it
	}
	values := map[string]string{}
	// Values have a prefix, so that an action's field cannot be taken for the nonce.
	for key := range r.PostForm {
		if field, ok := strings.CutPrefix(key, "value."); ok {
			values[field] = strings.TrimSpace(r.PostForm.Get(key))
		}
	}
	// The result is remembered for the page that the redirect leads to: a reload of it shows the
	// result again and does not run the action again.
	goTo, err := i.once.do(nonce, func() (string, any, error) {
		done := actionResult{name: name, values: values}
		result, err := i.Engine.RunAction(r.Context(), in.ID, name, values)
		switch kind := integration.KindOf(err); {
		case err == nil:
			done.result = &result
		case kind == integration.KindNotFound || kind == integration.KindInternal:
			return "", nil, err // an error of the page, not a result of the action
		default:
			done.failed = layout.Message(err)
		}
		return "/settings/integrations/" + in.ID + "?result=" + nonce + "#action-" + url.PathEscape(name), done, nil
	})
	if err != nil {
		return err
	}
	i.site.Redirect(w, r, goTo)
	return nil
}
