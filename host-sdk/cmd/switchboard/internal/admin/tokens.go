package admin

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/api"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/datadir"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/people"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/settings"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// commandLine is how the audit names somebody who opens the store of a host that does not run.
const commandLine = "the command line"

// onPeople asks a running host by its API, or where none runs the store, as in [Ask]. fromStore
// runs with the store open and, on SQLite, locked.
func onPeople[T any](ctx context.Context, s settings.Settings, fromHost func(ctx context.Context, base string) (T, error), fromStore func(ctx context.Context, s settings.Settings, kept store.People) (T, error)) (result T, err error) {
	return ask(ctx, s, func(ctx context.Context, s settings.Settings) (out T, err error) {
		err = datadir.WithStore(ctx, s, func(kept store.Store) error {
			who, ok := kept.(store.People)
			if !ok {
				return errors.New("the store keeps no tokens")
			}
			out, err = fromStore(ctx, s, who)
			return err
		})
		return out, err
	}, fromHost)
}

// CreateToken makes a token for a program. Its secret is shown this once.
func CreateToken(ctx context.Context, s settings.Settings, name, role string) (api.MadeToken, error) {
	return onPeople(ctx, s, func(ctx context.Context, base string) (out api.MadeToken, err error) {
		return out, askAPI(ctx, s, base, http.MethodPost, "/tokens", map[string]string{"name": name, "role": role}, &out)
	}, func(ctx context.Context, s settings.Settings, kept store.People) (api.MadeToken, error) {
		t, secret, err := people.MakeToken(ctx, kept, store.Token{Name: name, Role: role, MadeBy: commandLine, MadeAt: s.Clock.Now()})
		if err == nil {
			err = kept.AddAudit(ctx, store.AuditLine{At: s.Clock.Now(), Who: commandLine, Action: "token.create", About: t.ID, Detail: t.Name + ", " + t.Role})
		}
		return api.MadeToken{Token: api.ViewToken(t), Secret: secret}, err
	})
}

// ListTokens lists the tokens of programs, also revoked ones.
func ListTokens(ctx context.Context, s settings.Settings) ([]api.Token, error) {
	return onPeople(ctx, s, func(ctx context.Context, base string) (out []api.Token, err error) {
		return out, askAPI(ctx, s, base, http.MethodGet, "/tokens", nil, &out)
	}, func(ctx context.Context, _ settings.Settings, kept store.People) ([]api.Token, error) {
		list, err := kept.ListTokens(ctx)
		out := make([]api.Token, 0, len(list))
		for _, t := range list {
			out = append(out, api.ViewToken(t))
		}
		return out, err
	})
}

// RevokeToken ends a token, given its id or the name of one that is valid. An id wins over nothing:
// names of valid tokens are unique, and no name is an id.
func RevokeToken(ctx context.Context, s settings.Settings, named string) (api.Token, error) {
	find := func(list []api.Token) (api.Token, error) {
		for _, t := range list {
			if t.Revoked == nil && (t.ID == named || t.Name == named) {
				return t, nil
			}
		}
		return api.Token{}, fmt.Errorf("there is no valid token %q: switchboard token list shows all", named)
	}
	// Looked up here and not by the host: people know the name that they gave, and the API takes
	// ids alone, since a name can be used again once its token is revoked.
	list, err := ListTokens(ctx, s)
	if err != nil {
		return api.Token{}, err
	}
	t, err := find(list)
	if err != nil {
		return t, err
	}
	now := s.Clock.Now().UTC()
	t.Revoked = &now
	return onPeople(ctx, s, func(ctx context.Context, base string) (api.Token, error) {
		return t, askAPI(ctx, s, base, http.MethodDelete, "/tokens/"+url.PathEscape(t.ID), nil, nil)
	}, func(ctx context.Context, s settings.Settings, kept store.People) (api.Token, error) {
		err := kept.RevokeToken(ctx, t.ID, now)
		if err == nil {
			err = kept.AddAudit(ctx, store.AuditLine{At: now, Who: commandLine, Action: "token.revoke", About: t.ID, Detail: t.Name})
		}
		return t, err
	})
}
