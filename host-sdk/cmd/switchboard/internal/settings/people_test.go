package settings

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSettingsOfWhoMayUseTheHost(t *testing.T) {
	t.Parallel()
	s, err := Resolve(Flags{OpenIDDomains: "Example.com, @example.org"}, map[string]string{
		"openid_issuer": "https://id.example.com/realms/one", "openid_client_id": "switchboard", "openid_client_secret": "canary", "shared_token": "off", "keep_audit_days": "30",
	}, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	want := OpenID{Issuer: "https://id.example.com/realms/one", ClientID: "switchboard", Secret: "canary", Domains: []string{"example.com", "example.org"}}
	if diff := cmp.Diff(want, s.OpenID); diff != "" || s.SharedToken || s.KeepAudit != 30 || strings.Contains(fmt.Sprint(s), "canary") {
		t.Errorf("shared token %v, audit %d days (-want +got):\n%s", s.SharedToken, s.KeepAudit, diff)
	}
	if s, err = Resolve(Flags{}, nil, t.TempDir()); err != nil || !s.SharedToken || s.KeepAudit != 400 || s.OpenID.Issuer != "" {
		t.Errorf("without settings: %+v (%v)", s, err)
	}
	for text, file := range map[string]map[string]string{
		`shared_token "maybe" is unknown: use on or off`: {"shared_token": "maybe"},
		"openid_issuer is missing":                       {"openid_client_id": "switchboard"},
		"openid_client_id is missing":                    {"openid_issuer": "https://id.example.com"},
		"openid_issuer is not the address of a provider": {"openid_issuer": "http://id.example.com", "openid_client_id": "x"},
		"keep_audit_days \"-1\" is not a number":         {"keep_audit_days": "-1"},
	} {
		if _, err := Resolve(Flags{}, file, t.TempDir()); err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("%v: %v, want %s", file, err, text)
		}
	}
	if _, err := Resolve(Flags{}, map[string]string{"openid_issuer": "http://127.0.0.1:3000", "openid_client_id": "x"}, t.TempDir()); err != nil {
		t.Errorf("a provider on this machine: %v", err)
	}
}
