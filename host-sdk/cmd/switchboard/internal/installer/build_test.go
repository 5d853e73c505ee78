package installer

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"aead.dev/minisign"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/manifest"
)

// program is what the plugin of these tests has as its executable. Nothing here starts it.
const program = "#!/bin/sh\nexit 0\n"

// manifestText is a sealed manifest of a plugin whose executable is bin/fake; edit replaces parts
// of it.
func manifestText(version string, edit ...string) string {
	sum := sha256.Sum256([]byte(program))
	text := fmt.Sprintf(`{"id":"fake","name":"Fake","version":%q,"protocol":{"versions":[%d]},"executables":{%q:{"path":"bin/fake","sha256":%q,"size":%d}}}`,
		version, integration.ProtocolVersion, manifest.Platform(), hex.EncodeToString(sum[:]), len(program))
	return strings.NewReplacer(edit...).Replace(text)
}

// entry is one of an archive.
type entry struct {
	tar.Header
	content string
}

func file(name, content string) entry {
	return entry{tar.Header{Name: name, Mode: 0o644, Size: int64(len(content)), Typeflag: tar.TypeReg}, content}
}

func special(name string, flag byte, target string) entry {
	return entry{tar.Header{Name: name, Typeflag: flag, Linkname: target, Mode: 0o777}, ""}
}

// plugin are the entries of an honest archive.
func plugin(version string) []entry {
	return []entry{file(manifest.FileName, manifestText(version)), special("bin/", tar.TypeDir, ""), file("bin/fake", program), file("LICENSE", "Free.\n")}
}

// pack makes an archive.
func pack(t *testing.T, entries ...entry) []byte {
	t.Helper()
	return zip(t, tarOf(t, entries...))
}

func tarOf(t *testing.T, entries ...entry) []byte {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, e := range entries {
		if err := w.WriteHeader(&e.Header); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(e.content)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func zip(t *testing.T, data []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// publisher signs plugins.
type publisher struct {
	public minisign.PublicKey
	secret minisign.PrivateKey
}

func newPublisher(t *testing.T) publisher {
	t.Helper()
	public, secret, err := minisign.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	return publisher{public, secret}
}

func (p publisher) key() Key { return newKey(p.public) }

// publish writes an archive and its signature, and returns the archive's name.
func (p publisher) publish(t *testing.T, data []byte) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "plugin.tar.gz")
	write(t, name, string(data))
	write(t, name+SignatureSuffix, string(minisign.Sign(p.secret, data)))
	return name
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// newFolder is a plugin folder that trusts a publisher.
func newFolder(t *testing.T) (Folder, publisher) {
	t.Helper()
	p := newPublisher(t)
	f := Folder{Path: filepath.Join(t.TempDir(), "the plugins")}
	if err := f.prepare(); err != nil {
		t.Fatal(err)
	}
	if added, err := f.Trust(p.key()); err != nil || !added {
		t.Fatalf("the key is trusted: %v, %v", added, err)
	}
	return f, p
}

// content lists all below a folder, with what files hold, but for trusted keys and the lock.
func content(t *testing.T, dir string) string {
	t.Helper()
	var out strings.Builder
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.Name() == trustedName {
			return filepath.SkipDir
		}
		rel, _ := filepath.Rel(dir, path)
		fmt.Fprintf(&out, "%s %s\n", d.Type(), rel)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out.String()
}
