package pages

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/livecallrouting/livecall/host-sdk/integration"
)

// actionResult is what an action came to, kept for the page that shows it.
type actionResult struct {
	name   string
	values map[string]string
	result *integration.ActionResult // nil: it failed
	failed string
}

// actionForms are the plugin's buttons; the one that was just pressed with its result.
func (p *Pages) actionForms(r *http.Request, actions []integration.ActionDescription) []actionForm {
	done, _ := p.once.result(r.URL.Query().Get("result")).(actionResult)
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

// runAction runs an action once and leads back to the integration's page, which shows what it came to.
func (p *Pages) runAction(w http.ResponseWriter, r *http.Request) error {
	in, err := p.integration(r)
	if err != nil {
		return err
	}
	if err := readSmallForm(w, r); err != nil {
		return err
	}
	nonce, name := r.PostFormValue("nonce"), r.PathValue("name")
	if len(nonce) != 32 {
		nonce = newNonce() // the result is found by it
	}
	values := map[string]string{}
	for key := range r.PostForm {
		if field, ok := strings.CutPrefix(key, "value."); ok {
			values[field] = strings.TrimSpace(r.PostForm.Get(key))
		}
	}
	goTo, err := p.once.do(nonce, func() (string, any, error) {
		done := actionResult{name: name, values: values}
		result, err := p.cfg.Engine.RunAction(r.Context(), in.ID, name, values)
		switch kind := integration.KindOf(err); {
		case err == nil:
			done.result = &result
		case kind == integration.KindNotFound || kind == integration.KindInternal:
			return "", nil, err
		default:
			done.failed = messageOf(err)
		}
		return "/settings/integrations/" + in.ID + "?result=" + nonce + "#action-" + url.PathEscape(name), done, nil
	})
	if err != nil {
		return err
	}
	p.redirect(w, r, goTo)
	return nil
}

func (p *Pages) confirmDelete(w http.ResponseWriter, r *http.Request) error {
	in, err := p.integration(r)
	if err != nil {
		return err
	}
	p.show(w, r, http.StatusOK, page{Title: "Delete " + in.Name + "?", Template: "delete", Nav: "integrations", Body: in})
	return nil
}

func (p *Pages) deleteIntegration(w http.ResponseWriter, r *http.Request) error {
	// Deleted already, by somebody else or a second click: that is what was wanted.
	if err := p.cfg.Engine.Remove(r.Context(), r.PathValue("id")); err != nil && integration.KindOf(err) != integration.KindNotFound {
		return err
	}
	p.redirect(w, r, "/settings/integrations?deleted=1")
	return nil
}
