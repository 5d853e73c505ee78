package goalertsim

import (
	"encoding/json"
	"errors"
	"mime"
	"net/http"
	"strings"
)

// genericRequest is what the generic integration key's endpoint reads.
type genericRequest struct {
	Summary, Details, Dedup, Action string
	Meta                            map[string]string
}

// generic creates or closes an alert.
func (s *Sim) generic(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	service, key := s.integration(token(r))
	s.mu.Unlock()
	if service == nil {
		http.Error(w, "unauthorized", http.StatusUnauthorized)
		return
	}
	in, err := readGeneric(r)
	if err != nil {
		s.refuse(w, err.Error())
		return
	}
	s.mu.Lock()
	a, isNew, err := s.apply(service, key, in)
	s.mu.Unlock()
	switch {
	case errors.Is(err, errFull):
		http.Error(w, err.Error(), http.StatusBadRequest)
	case err != nil:
		s.refuse(w, "the answer to meta data that is refused: "+err.Error())
	case !strings.Contains(r.Header.Get("Accept"), "application/json"):
		w.WriteHeader(http.StatusNoContent)
	default:
		w.Header().Set("Content-Type", "application/json")
		answer := struct {
			AlertID   int
			ServiceID string
			IsNew     bool
		}{0, service.id, isNew}
		if a != nil {
			answer.AlertID = a.id
		}
		_ = json.NewEncoder(w).Encode(answer)
	}
}

// integration finds the service of an integration key.
func (s *Sim) integration(id string) (*service, integrationKey) {
	for _, service := range s.db.services {
		for _, k := range service.keys {
			if k.id == id {
				return service, k
			}
		}
	}
	return nil, integrationKey{}
}

// readGeneric reads JSON or a form. Its error says what is left open.
func readGeneric(r *http.Request) (in genericRequest, err error) {
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch kind {
	case "application/json":
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
			return in, errors.New("JSON that cannot be read: " + err.Error())
		}
	case "application/x-www-form-urlencoded":
		in = genericRequest{
			Summary: r.PostFormValue("summary"), Details: r.PostFormValue("details"),
			Dedup: r.PostFormValue("dedup"), Action: r.PostFormValue("action"),
		}
		if r.PostForm.Has("meta") {
			return in, errors.New("meta in a form")
		}
	default:
		return in, errors.New("the content type " + kind)
	}
	if in.Dedup == "" {
		return in, errors.New("the generic integration key's endpoint without dedup")
	}
	return in, nil
}

// apply creates or closes an alert. Any action but close creates.
func (s *Sim) apply(service *service, key integrationKey, in genericRequest) (a *alert, isNew bool, err error) {
	a = s.db.openAlert(service, in.Dedup)
	if in.Action == "close" {
		if a != nil {
			s.setStatus(a, closed, " via "+key.name+" integration (Generic API)")
		}
		return a, false, nil
	}
	if a != nil {
		return a, false, nil
	}
	a = &alert{service: service, summary: cut(in.Summary, maxSummary), details: cut(in.Details, maxDetails), dedup: in.Dedup}
	for k, v := range in.Meta {
		a.meta = append(a.meta, label{k, v})
	}
	if err := checkMeta(a.meta); err != nil {
		return nil, false, err
	}
	return a, true, s.create(a)
}
