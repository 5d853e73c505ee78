package manifest

import "testing"

// FuzzParse holds that any text is a manifest or refused in a short message.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{valid, text("[1]", "[1e999999999]"), text(`"FAKE_URL"`, `null,{"a":[]}`), `{"protocol":{"versions":[-0,1.0]}}`, "[[[[", "{\"\xff\x00\":1}"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := Parse(data)
		switch {
		case err != nil && len(err.Error()) > 8000:
			t.Fatalf("a message of %d bytes", len(err.Error()))
		case err != nil:
			return
		case m.ID == "" || m.Version == "" || len(m.Protocol.Versions) == 0 || len(m.Executables) == 0:
			t.Fatalf("accepted without what it needs: %+v", m)
		}
		_, _ = m.Executable(Platform())
	})
}
