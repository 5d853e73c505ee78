package settings

import (
	"errors"
	"net"
	"strconv"
	"strings"
	"testing"
)

// FuzzResolve holds that any settings section is taken or refused by the names of its settings,
// without the value of a secret.
func FuzzResolve(f *testing.F) {
	f.Add("listen", "127.0.0.1:8080", "canary-secret-canary-secret")
	f.Add("public_url", "https://user:x@example.com", "smtps://user:canary@example.com")
	f.Add("trusted_proxies", "10.0.0.0/8, ::1 0.0.0.0/0", "")
	f.Add("max_connections", "99999999999999999999", "\x00\xff")
	f.Add("test_clock", "1e400@-1", "postgres://u:canary@h/d")
	f.Fuzz(func(t *testing.T, name, value, secret string) {
		for _, hidden := range []string{"secret_key", "api_token", "smtp_url", "database_url"} {
			s, err := Resolve(Flags{}, map[string]string{name: value, hidden: secret}, "/opt/livecall")
			if err == nil {
				_ = s.PublicURLFor(&net.TCPAddr{Port: 8080})
				continue
			}
			var problem *Problem
			if !errors.As(err, &problem) {
				t.Fatalf("an error without a setting: %v", err)
			}
			if len(secret) >= 12 && name != hidden && !strings.Contains(value+name, secret) && strings.Contains(err.Error(), secret) {
				t.Fatalf("%s: the error holds the value: %v", hidden, err)
			}
		}
	})
}

// TestManyUnknownSettingsHaveAShortAnswer holds that the first ones are named.
func TestManyUnknownSettingsHaveAShortAnswer(t *testing.T) {
	t.Parallel()
	file := map[string]string{}
	for i := range 40_000 {
		file["unknown"+strconv.Itoa(100_000+i)] = ""
	}
	_, err := Resolve(Flags{}, file, "")
	if err == nil {
		t.Fatal("unknown settings are accepted")
	}
	lines := strings.Split(err.Error(), "\n")
	if len(lines) != maxUnknown+1 || !strings.HasPrefix(lines[0], "unknown100000 is not a setting") || lines[maxUnknown] != "… and 39980 more that are not settings" {
		t.Errorf("%d lines: %s … %s", len(lines), lines[0], lines[len(lines)-1])
	}
}
