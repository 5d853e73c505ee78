package installer

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"aead.dev/minisign"

	"github.com/livecallrouting/livecall/host-sdk/manifest"
)

// A trusted key may be stolen, or its owner careless: what is signed is unpacked with the same
// distrust. Nothing of a refused archive stays, and nothing is written outside of the folder.
func TestHostileArchivesAreRefused(t *testing.T) {
	t.Parallel()
	with := func(extra ...entry) []entry { return append(plugin("1.0.0"), extra...) }
	huge := file("huge", "")
	for _, tt := range []struct {
		name    string
		entries []entry
		want    string
	}{
		{"a path that leads out", with(file("../evil", "x")), "not a plain path"},
		{"a path that leads out in the middle", with(file("bin/../../evil", "x")), "not a plain path"},
		{"an absolute path", with(file("/tmp/evil", "x")), "not a plain path"},
		{"a path with dots", with(file("bin/./evil", "x")), "not a plain path"},
		{"a path of Windows", with(file(`..\evil`, "x")), `contains '\\'`},
		{"a drive of Windows", with(file("C:evil", "x")), "contains ':'"},
		{"a name that ends with a full stop", with(file("bin./evil", "x")), "ends with a full stop"},
		{"a name with a line break", with(file("a\nb", "x")), `contains '\n'`},
		{"a name that looks like another", with(file("bin/fаke", "x")), "contains 'а'"}, // Cyrillic
		{"a very long name", with(file(strings.Repeat("a", 201), "x")), "201 bytes"},
		{"very many folders", with(file(strings.Repeat("a/", 10)+"a", "x")), "not a plain path"},
		{"a symbolic link", with(special("link", tar.TypeSymlink, "/etc/passwd")), "symbolic link"},
		{"a symbolic link, then a file through it", with(special("out", tar.TypeSymlink, ".."), file("out/evil", "x")), "symbolic link"},
		{"a hard link", with(special("link", tar.TypeLink, "bin/fake")), "hard link"},
		{"a character device", with(special("null", tar.TypeChar, "")), "device"},
		{"a block device", with(special("disk", tar.TypeBlock, "")), "device"},
		{"a pipe", with(special("pipe", tar.TypeFifo, "")), "pipe"},
		{"a file twice", with(file("bin/fake", program)), `"bin/fake" comes twice`},
		{"the manifest twice", with(file(manifest.FileName, manifestText("2.0.0"))), `"manifest.json" comes twice`},
		{"names that differ in case", with(file("BIN/fake", program)), "upper and lower case"},
		{"a file where a folder is", with(file("bin", "x")), "a file and a folder"},
		{"a folder where a file is", with(file("LICENSE/x", "x")), "a file and a folder"},
		{"very many entries", append(with(), repeated(1001)...), "more than 1000"},
		{"a plugin in a folder and another file beside it", []entry{file("fake/"+manifest.FileName, manifestText("1.0.0")), file("fake/bin/fake", program), file("other", "x")}, "lies outside of fake/"},
		{"no manifest", []entry{file("bin/fake", program)}, "holds no manifest.json"},
		{"a manifest that is none", []entry{file(manifest.FileName, "{"), file("bin/fake", program)}, "not JSON"},
		{"no executable", []entry{file(manifest.FileName, manifestText("1.0.0"))}, "executable bin/fake"},
		{"another executable than the manifest names", []entry{file(manifest.FileName, manifestText("1.0.0")), file("bin/fake", program+"#")}, "its SHA-256 or size differs"},
		{"an executable outside", []entry{file(manifest.FileName, manifestText("1.0.0", "bin/fake", "../fake")), file("bin/fake", program)}, "leaves the plugin's folder"},
		{"another platform", []entry{file(manifest.FileName, manifestText("1.0.0", manifest.Platform(), "plan9-mips")), file("bin/fake", program)}, "only for plan9-mips: install the archive for this platform"},
		{"another protocol", []entry{file(manifest.FileName, manifestText("1.0.0", `"versions":[1]`, `"versions":[999]`)), file("bin/fake", program)}, "protocol versions [999], this host speaks 1"},
		{"an id that is a path", []entry{file(manifest.FileName, manifestText("1.0.0", `"id":"fake"`, `"id":"../fake"`)), file("bin/fake", program)}, "/id:"},
		{"a declared size of a terabyte", with(declared(huge, 1<<40)), "declares 1099511627776 bytes"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			refused(t, archiveOf(t, tt.entries), tt.want)
		})
	}
}

// repeated are many small files.
func repeated(n int) (out []entry) {
	for i := range n {
		out = append(out, file("many/"+strings.Repeat("x", i%100)+string(rune('a'+i/100%26)), ""))
	}
	return out
}

func declared(e entry, size int64) entry { e.Size = size; return e }

// archiveOf packs entries also where a header promises more than follows.
func archiveOf(t *testing.T, entries []entry) []byte {
	t.Helper()
	var out bytes.Buffer
	for _, e := range entries {
		w := tar.NewWriter(&out)
		if err := w.WriteHeader(&e.Header); err != nil {
			t.Fatal(err)
		}
		_, _ = w.Write([]byte(e.content))
		_ = w.Flush() // fails where content is missing
	}
	out.Write(make([]byte, 1024))
	return zip(t, out.Bytes())
}

// refused checks that a signed archive is refused, and leaves nothing behind.
func refused(t *testing.T, data []byte, want string) {
	t.Helper()
	f, p := newFolder(t)
	before := content(t, filepath.Dir(f.Path))
	_, err := f.Stage(Source{Path: p.publish(t, data)})
	if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
		t.Errorf("error %q, want one line that contains %q", err, want)
	}
	if after := content(t, filepath.Dir(f.Path)); after != before {
		t.Errorf("it leaves behind:\n%s\nbefore:\n%s", after, before)
	}
}

func TestWhatIsNoArchiveIsRefused(t *testing.T) {
	t.Parallel()
	good := pack(t, plugin("1.0.0")...)
	for _, tt := range []struct {
		name string
		data []byte
		want string
	}{
		{"nothing", nil, "not a gzip-compressed tar archive"},
		{"a zip", []byte("PK\x03\x04…"), "not a gzip-compressed tar archive"},
		{"a tar without compression", tarOf(t, plugin("1.0.0")...), "not a gzip-compressed tar archive"},
		{"no tar inside", zip(t, []byte(strings.Repeat("hello ", 500))), "cannot be read"},
		{"half of it", good[:len(good)/2], "cannot be read"},
		{"another archive after it", append(bytes.Clone(good), pack(t, plugin("2.0.0")...)...), "something after its end"},
		{"rubbish after it", append(bytes.Clone(good), "rubbish"...), "cannot be read to its end"},
	} {
		t.Run(tt.name, func(t *testing.T) { t.Parallel(); refused(t, tt.data, tt.want) })
	}
}

// A small archive can unpack to more than any disk holds. It is refused before much of it is
// written.
func TestABombIsRefused(t *testing.T) {
	t.Parallel()
	head := tarOf(t, plugin("1.0.0")...)
	head = head[:len(head)-1024] // without the end
	var out bytes.Buffer
	w, err := gzip.NewWriterLevel(&out, gzip.BestSpeed)
	if err != nil {
		t.Fatal(err)
	}
	zeros := make([]byte, 1<<20)
	put := func(data []byte) {
		if _, err := w.Write(data); err != nil {
			t.Fatal(err)
		}
	}
	put(head)
	for _, name := range []string{"a", "b"} { // together more than is accepted, each alone not
		h := file(name, "")
		h.Size = maxUnpacked - 1<<20
		var header bytes.Buffer
		if err := tar.NewWriter(&header).WriteHeader(&h.Header); err != nil {
			t.Fatal(err)
		}
		put(header.Bytes())
		for range h.Size >> 20 {
			put(zeros)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if out.Len() > 8<<20 {
		t.Fatalf("the bomb has %d bytes", out.Len())
	}
	refused(t, out.Bytes(), "more than 512 MiB")
}

// The modes of an archive are not taken over: neither set-user-id nor what others may write.
func TestModesAreOurs(t *testing.T) {
	t.Parallel()
	f, p := newFolder(t)
	entries := plugin("1.0.0")
	for i := range entries {
		entries[i].Mode = 0o7777
	}
	staged, err := f.Stage(Source{Path: p.publish(t, pack(t, entries...))})
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]os.FileMode{".": os.ModeDir | 0o755, "bin": os.ModeDir | 0o755, "bin/fake": 0o755, "LICENSE": 0o644, manifest.FileName: 0o644} {
		info, err := os.Stat(filepath.Join(staged.Dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode() != want {
			t.Errorf("%s has mode %v, want %v", name, info.Mode(), want)
		}
	}
}

func TestSignatures(t *testing.T) {
	t.Parallel()
	f, p := newFolder(t)
	other := newPublisher(t)
	good := pack(t, plugin("1.0.0")...)
	named := func(change func(name string)) string {
		name := p.publish(t, good)
		change(name)
		return name
	}
	for _, tt := range []struct {
		name, source, want string
	}{
		{"a changed byte", named(func(name string) {
			bad := bytes.Clone(good)
			bad[len(bad)/2] ^= 1
			write(t, name, string(bad))
		}), "does not fit"},
		{"no signature", named(func(name string) { _ = os.Remove(name + SignatureSuffix) }), "there is no signature"},
		{"the signature of another file", named(func(name string) { write(t, name+SignatureSuffix, string(minisign.Sign(p.secret, []byte("x")))) }), "does not fit"},
		{"a key that is not trusted", named(func(name string) { write(t, name+SignatureSuffix, string(minisign.Sign(other.secret, good))) }), other.key().ID + ", which is not trusted"},
		{"rubbish as a signature", named(func(name string) { write(t, name+SignatureSuffix, "rubbish") }), "is not one of minisign"},
		{"a signature that never ends", named(func(name string) { write(t, name+SignatureSuffix, strings.Repeat("x", 5000)) }), "at most 4096 bytes"},
		{"a changed trusted comment", named(func(name string) {
			text := minisign.SignWithComments(p.secret, good, "version 1.0.0", "")
			write(t, name+SignatureSuffix, strings.Replace(string(text), "version 1.0.0", "version 9.0.0", 1))
		}), "does not fit"},
	} {
		if _, err := f.Check(Source{Path: tt.source}); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: error %v, want one that contains %q", tt.name, err, tt.want)
		}
		if strings.Contains(tt.name, "changed byte") {
			continue
		}
		if checked, err := f.Check(Source{Path: tt.source, Unsigned: true}); err != nil || checked.SignedBy != "" {
			t.Errorf("%s, but no signature is asked for: signed by %q, error %v", tt.name, checked.SignedBy, err)
		}
	}
	elsewhere := filepath.Join(t.TempDir(), "signature")
	write(t, elsewhere, string(minisign.Sign(p.secret, good)))
	source := Source{Path: named(func(name string) { _ = os.Remove(name + SignatureSuffix) }), Signature: elsewhere}
	if checked, err := f.Check(source); err != nil || checked.SignedBy != p.key().ID {
		t.Errorf("a signature elsewhere: signed by %q, error %v", checked.SignedBy, err)
	}
	if err := f.Distrust(p.key().ID); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Check(source); err == nil || !strings.Contains(err.Error(), "not trusted") {
		t.Errorf("the key is trusted no more: error %v", err)
	}
}
