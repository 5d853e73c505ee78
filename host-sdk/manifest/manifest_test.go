package manifest

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/livecallrouting/livecall/host-sdk/integration"
)

const valid = `{"id":"fake","name":"Fake","version":"1.2.3","protocol":{"versions":[1],"minor":0},"environment":["FAKE_URL"],"executables":{"PLATFORM":{"path":"bin/fake","sha256":""}}}`

func text(edit ...string) string {
	return strings.NewReplacer(append(edit, "PLATFORM", Platform())...).Replace(valid)
}

func TestParse(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, doc string
		want      []string // nil: valid
	}{
		{"valid", text(), nil},
		{"with schema", text(`{"id"`, `{"$schema":"./x.json","id"`), nil},
		{"prerelease", text("1.2.3", "1.2.3-rc.1+build.5"), nil},
		{"empty", "", []string{"not JSON"}},
		{"not JSON", "{", []string{"not JSON"}},
		{"two values", text() + "{}", []string{"more than one"}},
		{"array", "[]", []string{"expected object"}},
		{"no id", text(`"id":"fake",`, ""), []string{"'id'"}},
		{"id with a slash", text(`"fake"`, `"../fake"`), []string{"/id:"}},
		{"two things wrong", text(`"fake"`, `"FAKE"`, "1.2.3", "1.2"), []string{"/id:", "/version:"}},
		{"unknown field", text(`"name"`, `"enviroment":[],"name"`), []string{"enviroment"}},
		{"no protocol versions", text("[1]", "[]"), []string{"/protocol/versions"}},
		{"protocol 0", text("[1]", "[0]"), []string{"/protocol/versions/0"}},
		{"protocol 1.5", text("[1]", "[1.5]"), []string{"/protocol/versions/0"}},
		{"environment with a value", text("FAKE_URL", "FAKE=1"), []string{"/environment/0"}},
		{"short hash", text(`"sha256":""`, `"sha256":"abc"`), []string{"sha256"}},
		{"no executables", text(`"PLATFORM":{"path":"bin/fake","sha256":""}`, ""), []string{"/executables"}},
		{"platform without arch", text("PLATFORM", "linux"), []string{"/executables"}},
		{"a number beyond all limits", text("[1]", "[1e999999999]"), []string{"1e999999999"}},
		{"a minor of many digits", text(`"minor":0`, `"minor":1e300`), []string{"not a manifest"}},
		{"too many versions", text("[1]", "[1"+strings.Repeat(",1", 20_000)+"]"), []string{"/protocol/versions"}},
		{"too many unknown fields", text(`"minor":0`, `"minor":0`+strings.Repeat(`,"x":[]`, 10)+`,"y":1`), []string{"/protocol"}},
		{"many problems", text("[1]", "[0"+strings.Repeat(",0", 15)+"]"), []string{"… and 6 more"}},
		{"brackets without end", strings.Repeat("[", 60_000), []string{"not JSON"}},
		{"homepage", text(`"name"`, `"homepage":"javascript:alert(1)","name"`), []string{"/homepage"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			m, err := Parse([]byte(tt.doc))
			if tt.want == nil {
				if err != nil {
					t.Fatal(err)
				}
				if m.ID != "fake" {
					t.Fatalf("m.ID is %q, want %q", m.ID, "fake")
				}
				if diff := cmp.Diff([]int{1}, m.Protocol.Versions); diff != "" {
					t.Fatalf("m.Protocol.Versions (-want +got):\n%s", diff)
				}
				if diff := cmp.Diff([]string{"FAKE_URL"}, m.Environment); diff != "" {
					t.Fatalf("m.Environment (-want +got):\n%s", diff)
				}
				return
			}
			if err == nil {
				t.Fatal("no error")
			}
			if strings.Contains(err.Error(), "\n") {
				t.Fatalf("%q contains %q", err.Error(), "\n")
			}
			for _, want := range tt.want {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Fatalf("error %v, want one that contains %q", err, want)
				}
			}
		})
	}
}

// TestRepositoryManifest holds the manifest of this repository together with the contract.
func TestRepositoryManifest(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("../../manifest.json")
	if err != nil {
		t.Fatal(err)
	}
	m, err := Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]int{integration.ProtocolVersion}, m.Protocol.Versions); diff != "" {
		t.Fatalf("m.Protocol.Versions (-want +got):\n%s", diff)
	}
	if m.Protocol.Minor != integration.ProtocolMinor {
		t.Fatalf("m.Protocol.Minor is %v, want %v", m.Protocol.Minor, integration.ProtocolMinor)
	}
	for platform, exe := range m.Executables {
		if len(exe.SHA256) != 0 {
			t.Fatalf("%s: a repository holds no hashes: exe.SHA256 is %v, want it empty", platform, exe.SHA256)
		}
	}
}

// sealed is a sealed plugin folder, and where its unsealed manifest lies.
func sealed(t *testing.T) (dir, source string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "fake")
	if err := os.MkdirAll(filepath.Join(dir, "bin"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "bin", "fake"), []byte("#!/bin/sh\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	source = filepath.Join(t.TempDir(), "manifest.json")
	if err := os.WriteFile(source, []byte(text()), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Seal(source, dir)
	if err != nil {
		t.Fatal(err)
	}
	return dir, source
}

func edit(t *testing.T, dir string, change func(m map[string]any)) {
	t.Helper()
	file := filepath.Join(dir, FileName)
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	if err := json.Unmarshal(data, &m); err != nil {
		t.Fatal(err)
	}
	change(m)
	data, err = json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

func executableOf(m map[string]any) map[string]any {
	return m["executables"].(map[string]any)[Platform()].(map[string]any)
}

func TestSealAndVerify(t *testing.T) {
	t.Parallel()
	dir, source := sealed(t)
	p, err := Verify(dir)
	if err != nil {
		t.Fatal(err)
	}
	if p.Executable.Size != int64(10) {
		t.Fatalf("p.Executable.Size is %v, want %v", p.Executable.Size, int64(10))
	}
	if len(p.Executable.SHA256) != 64 {
		t.Fatalf("%d p.Executable.SHA256, want %d", len(p.Executable.SHA256), 64)
	}
	if got := p.Path(); got != filepath.Join(p.Dir, "bin", "fake") {
		t.Fatalf("p.Path() is %q, want %q", got, filepath.Join(p.Dir, "bin", "fake"))
	}

	before, err := os.ReadFile(filepath.Join(dir, FileName))
	if err != nil {
		t.Fatal(err)
	}
	_, err = Seal(source, dir)
	if err != nil {
		t.Fatal(err)
	}
	after, err := os.ReadFile(filepath.Join(dir, FileName))
	if err != nil {
		t.Fatal(err)
	}
	if got := string(after); got != string(before) {
		t.Fatalf("sealing is reproducible: string(after) is %q, want %q", got, string(before))
	}
	left, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(left) != 2 {
		t.Fatalf("no temporary file is left: %d left, want %d", len(left), 2)
	}
}

// TestSealTakesWritePermission: a build under a lax umask is still accepted by hosts.
func TestSealTakesWritePermission(t *testing.T) {
	t.Parallel()
	dir, source := sealed(t)
	for _, path := range []string{"", "bin", "bin/fake"} {
		if err := os.Chmod(filepath.Join(dir, path), 0o775); err != nil {
			t.Fatal(err)
		}
	}
	_, err := Load(dir)
	if err == nil || !strings.Contains(err.Error(), "chmod go-w") {
		t.Fatalf("error %v, want one that contains %q", err, "chmod go-w")
	}
	_, err = Seal(source, dir)
	if err != nil {
		t.Fatal(err)
	}
	_, err = Verify(dir)
	if err != nil {
		t.Fatal(err)
	}
}

func TestSealRefuses(t *testing.T) {
	t.Parallel()
	dir, source := sealed(t)
	_, err := Seal(source, dir, "plan9-mips")
	if err == nil || !strings.Contains(err.Error(), "no executable for plan9-mips") {
		t.Fatalf("error %v, want one that contains %q", err, "no executable for plan9-mips")
	}
	_, err = Seal(source+"x", dir)
	if !errors.Is(err, os.ErrNotExist) {
		t.Fatalf("error %v, want %v", err, os.ErrNotExist)
	}
	if err := os.Remove(filepath.Join(dir, "bin", "fake")); err != nil {
		t.Fatal(err)
	}
	_, err = Seal(source, dir)
	if !errors.Is(err, os.ErrNotExist) {
		t.Fatalf("error %v, want %v", err, os.ErrNotExist)
	}
}

func TestVerifyRefuses(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		spoil func(t *testing.T, dir string)
		want  string
	}{
		{"no manifest", func(t *testing.T, dir string) {
			if err := os.Remove(filepath.Join(dir, FileName)); err != nil {
				t.Fatal(err)
			}
		}, "no such file"},
		{"empty hash", func(t *testing.T, dir string) {
			edit(t, dir, func(m map[string]any) { executableOf(m)["sha256"] = "" })
		}, "has no sha256: seal the folder"},
		{"other hash", func(t *testing.T, dir string) {
			edit(t, dir, func(m map[string]any) { executableOf(m)["sha256"] = strings.Repeat("0", 64) })
		}, "install the plugin again"},
		{"other size", func(t *testing.T, dir string) {
			edit(t, dir, func(m map[string]any) { executableOf(m)["size"] = 11 })
		}, "install the plugin again"},
		{"no such platform", func(t *testing.T, dir string) {
			edit(t, dir, func(m map[string]any) { m["executables"] = map[string]any{"plan9-mips": executableOf(m)} })
		}, "no executable for " + Platform() + ", only for plan9-mips"},
		{"path out of the folder", func(t *testing.T, dir string) {
			edit(t, dir, func(m map[string]any) { executableOf(m)["path"] = "../fake" })
		}, "leaves the plugin's folder"},
		{"absolute path", func(t *testing.T, dir string) {
			edit(t, dir, func(m map[string]any) { executableOf(m)["path"] = "/bin/sh" })
		}, "leaves the plugin's folder"},
		{"path with dots", func(t *testing.T, dir string) {
			edit(t, dir, func(m map[string]any) { executableOf(m)["path"] = "bin/../bin/fake" })
		}, "plain path"},
		{"symbolic link", func(t *testing.T, dir string) {
			file := filepath.Join(dir, "bin", "fake")
			if err := os.Rename(file, file+"2"); err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink("fake2", file); err != nil {
				t.Fatal(err)
			}
		}, "bin/fake is a symbolic link"},
		{"folder that is a symbolic link", func(t *testing.T, dir string) {
			if err := os.Rename(filepath.Join(dir, "bin"), filepath.Join(dir, "bin2")); err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink("bin2", filepath.Join(dir, "bin")); err != nil {
				t.Fatal(err)
			}
		}, "bin is a symbolic link"},
		{"folder as executable", func(t *testing.T, dir string) {
			edit(t, dir, func(m map[string]any) { executableOf(m)["path"] = "bin" })
		}, "not a regular file"},
		{"executable for others to write", func(t *testing.T, dir string) {
			if err := os.Chmod(filepath.Join(dir, "bin", "fake"), 0o720); err != nil {
				t.Fatal(err)
			}
		}, "writable for group or others"},
		{"folder for others to write", func(t *testing.T, dir string) {
			if err := os.Chmod(filepath.Join(dir, "bin"), 0o777); err != nil {
				t.Fatal(err)
			}
		}, "bin is writable"},
		{"manifest for others to write", func(t *testing.T, dir string) {
			if err := os.Chmod(filepath.Join(dir, FileName), 0o666); err != nil {
				t.Fatal(err)
			}
		}, "manifest.json is writable"},
		{"plugin folder for others to write", func(t *testing.T, dir string) {
			if err := os.Chmod(dir, 0o777); err != nil {
				t.Fatal(err)
			}
		}, "fake is writable for others (mode 0777): chmod o-w /"},
		{"not executable", func(t *testing.T, dir string) {
			if err := os.Chmod(filepath.Join(dir, "bin", "fake"), 0o600); err != nil {
				t.Fatal(err)
			}
		}, "chmod u+x"},
		{"huge manifest", func(t *testing.T, dir string) {
			if err := os.WriteFile(filepath.Join(dir, FileName), make([]byte, MaxBytes+1), 0o600); err != nil {
				t.Fatal(err)
			}
		}, "larger than"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir, _ := sealed(t)
			tt.spoil(t, dir)
			_, err := Verify(dir)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("error %v, want one that contains %q", err, tt.want)
			}
			if strings.Contains(err.Error(), "\n") {
				t.Fatalf("%q contains %q", err.Error(), "\n")
			}
			if err == nil || !strings.Contains(err.Error(), dir) {
				t.Fatalf("the plugin is named: error %v, want one that contains %q", err, dir)
			}
		})
	}
}

func TestList(t *testing.T) {
	t.Parallel()
	top := t.TempDir()
	good, _ := sealed(t)
	renamed, _ := sealed(t)
	broken, _ := sealed(t)
	if err := os.WriteFile(filepath.Join(broken, FileName), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	for from, to := range map[string]string{good: "fake", renamed: "other-name", broken: "broken"} {
		if err := os.Rename(from, filepath.Join(top, to)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(top, "no-plugin"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(top, "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	found, wrong := List(top)
	if len(found) != 1 {
		t.Fatalf("%d found, want %d", len(found), 1)
	}
	if found[0].Manifest.ID != "fake" {
		t.Fatalf("found[0].Manifest.ID is %q, want %q", found[0].Manifest.ID, "fake")
	}
	if len(wrong) != 2 {
		t.Fatalf("%d wrong, want %d", len(wrong), 2)
	}
	if wrong[0] == nil || !strings.Contains(wrong[0].Error(), "broken") {
		t.Fatalf("error %v, want one that contains %q", wrong[0], "broken")
	}
	if wrong[1] == nil || !strings.Contains(wrong[1].Error(), `rename the folder to "fake"`) {
		t.Fatalf("error %v, want one that contains %q", wrong[1], `rename the folder to "fake"`)
	}

	_, wrong = List(filepath.Join(top, "missing"))
	if len(wrong) != 1 {
		t.Fatalf("%d wrong, want %d", len(wrong), 1)
	}
	if !errors.Is(wrong[0], os.ErrNotExist) {
		t.Fatalf("error %v, want %v", wrong[0], os.ErrNotExist)
	}
}

// TestExecutableNamesItsAlternatives in a stable order.
func TestExecutableNamesItsAlternatives(t *testing.T) {
	t.Parallel()
	m := Manifest{Executables: map[string]Executable{"b-b": {}, "a-a": {}, "c-c": {}}}
	_, err := m.Executable("d-d")
	if err == nil || err.Error() != "no executable for d-d, only for a-a, b-b, c-c: install the archive for this platform" {
		t.Fatalf("error %v, want %q", err, "no executable for d-d, only for a-a, b-b, c-c: install the archive for this platform")
	}
}

func TestAPluginDirectoryThatOthersCanChangeIsRefused(t *testing.T) {
	t.Parallel()
	if !checksModes {
		t.Skip("no file modes here")
	}
	top := t.TempDir()
	good, _ := sealed(t)
	if err := os.Rename(good, filepath.Join(top, "fake")); err != nil {
		t.Fatal(err)
	}
	if found, wrong := List(top); len(found) != 1 || len(wrong) != 0 {
		t.Fatalf("as installed: %v, %v", found, wrong)
	}
	if err := os.Chmod(top, 0o777); err != nil {
		t.Fatal(err)
	}
	found, wrong := List(top)
	if len(found) != 0 || len(wrong) != 1 || !strings.Contains(wrong[0].Error(), "writable for others (mode 0777): chmod o-w "+top) {
		t.Errorf("writable for others: %v, %v", found, wrong)
	}
	if _, err := Load(filepath.Join(top, "fake")); err == nil {
		t.Error("the plugin in it is loaded by itself")
	}
	if err := os.Chmod(top, 0o755); err != nil {
		t.Fatal(err)
	}
	if os.Geteuid() != 0 {
		return // only root can give files to another user
	}
	if err := os.Lchown(filepath.Join(top, "fake"), 4711, 4711); err != nil {
		t.Fatal(err)
	}
	if found, wrong := List(top); len(found) != 0 || len(wrong) != 1 || !strings.Contains(wrong[0].Error(), "belongs to user 4711") {
		t.Errorf("somebody else's plugin: %v, %v", found, wrong)
	}
}
