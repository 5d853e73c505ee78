package manifest

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

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
		{"homepage", text(`"name"`, `"homepage":"javascript:alert(1)","name"`), []string{"/homepage"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			m, err := Parse([]byte(tt.doc))
			if tt.want == nil {
				require.NoError(t, err)
				require.Equal(t, "fake", m.ID)
				require.Equal(t, []int{1}, m.Protocol.Versions)
				require.Equal(t, []string{"FAKE_URL"}, m.Environment)
				return
			}
			require.Error(t, err)
			require.NotContains(t, err.Error(), "\n")
			for _, want := range tt.want {
				require.ErrorContains(t, err, want)
			}
		})
	}
}

// TestRepositoryManifest holds the manifest of this repository together with the contract.
func TestRepositoryManifest(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("../../manifest.json")
	require.NoError(t, err)
	m, err := Parse(data)
	require.NoError(t, err)
	require.Equal(t, []int{integration.ProtocolVersion}, m.Protocol.Versions)
	require.Equal(t, integration.ProtocolMinor, m.Protocol.Minor)
	for platform, exe := range m.Executables {
		require.Empty(t, exe.SHA256, "%s: a repository holds no hashes", platform)
	}
}

// sealed is a sealed plugin folder, and where its unsealed manifest lies.
func sealed(t *testing.T) (dir, source string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "fake")
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "bin"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "bin", "fake"), []byte("#!/bin/sh\n"), 0o700))
	source = filepath.Join(t.TempDir(), "manifest.json")
	require.NoError(t, os.WriteFile(source, []byte(text()), 0o600))
	_, err := Seal(source, dir)
	require.NoError(t, err)
	return dir, source
}

func edit(t *testing.T, dir string, change func(m map[string]any)) {
	t.Helper()
	file := filepath.Join(dir, FileName)
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	var m map[string]any
	require.NoError(t, json.Unmarshal(data, &m))
	change(m)
	data, err = json.Marshal(m)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(file, data, 0o600))
}

func executableOf(m map[string]any) map[string]any {
	return m["executables"].(map[string]any)[Platform()].(map[string]any)
}

func TestSealAndVerify(t *testing.T) {
	t.Parallel()
	dir, source := sealed(t)
	p, err := Verify(dir)
	require.NoError(t, err)
	require.Equal(t, int64(10), p.Executable.Size)
	require.Len(t, p.Executable.SHA256, 64)
	require.Equal(t, filepath.Join(p.Dir, "bin", "fake"), p.Path())

	before, err := os.ReadFile(filepath.Join(dir, FileName))
	require.NoError(t, err)
	_, err = Seal(source, dir)
	require.NoError(t, err)
	after, err := os.ReadFile(filepath.Join(dir, FileName))
	require.NoError(t, err)
	require.Equal(t, string(before), string(after), "sealing is reproducible")
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, left, 2, "no temporary file is left")
}

// TestSealTakesWritePermission: a build under a lax umask is still accepted by hosts.
func TestSealTakesWritePermission(t *testing.T) {
	t.Parallel()
	dir, source := sealed(t)
	for _, path := range []string{"", "bin", "bin/fake"} {
		require.NoError(t, os.Chmod(filepath.Join(dir, path), 0o775))
	}
	_, err := Load(dir)
	require.ErrorContains(t, err, "chmod go-w")
	_, err = Seal(source, dir)
	require.NoError(t, err)
	_, err = Verify(dir)
	require.NoError(t, err)
}

func TestSealRefuses(t *testing.T) {
	t.Parallel()
	dir, source := sealed(t)
	_, err := Seal(source, dir, "plan9-mips")
	require.ErrorContains(t, err, "no executable for plan9-mips")
	_, err = Seal(source+"x", dir)
	require.ErrorIs(t, err, os.ErrNotExist)
	require.NoError(t, os.Remove(filepath.Join(dir, "bin", "fake")))
	_, err = Seal(source, dir)
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestVerifyRefuses(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		spoil func(t *testing.T, dir string)
		want  string
	}{
		{"no manifest", func(t *testing.T, dir string) { require.NoError(t, os.Remove(filepath.Join(dir, FileName))) }, "no such file"},
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
			require.NoError(t, os.Rename(file, file+"2"))
			require.NoError(t, os.Symlink("fake2", file))
		}, "bin/fake is a symbolic link"},
		{"folder that is a symbolic link", func(t *testing.T, dir string) {
			require.NoError(t, os.Rename(filepath.Join(dir, "bin"), filepath.Join(dir, "bin2")))
			require.NoError(t, os.Symlink("bin2", filepath.Join(dir, "bin")))
		}, "bin is a symbolic link"},
		{"folder as executable", func(t *testing.T, dir string) {
			edit(t, dir, func(m map[string]any) { executableOf(m)["path"] = "bin" })
		}, "not a regular file"},
		{"executable for others to write", func(t *testing.T, dir string) { require.NoError(t, os.Chmod(filepath.Join(dir, "bin", "fake"), 0o720)) }, "writable for group or others"},
		{"folder for others to write", func(t *testing.T, dir string) { require.NoError(t, os.Chmod(filepath.Join(dir, "bin"), 0o777)) }, "bin is writable"},
		{"manifest for others to write", func(t *testing.T, dir string) { require.NoError(t, os.Chmod(filepath.Join(dir, FileName), 0o666)) }, "manifest.json is writable"},
		{"plugin folder for others to write", func(t *testing.T, dir string) { require.NoError(t, os.Chmod(dir, 0o777)) }, "the plugin's folder is writable"},
		{"not executable", func(t *testing.T, dir string) { require.NoError(t, os.Chmod(filepath.Join(dir, "bin", "fake"), 0o600)) }, "chmod u+x"},
		{"huge manifest", func(t *testing.T, dir string) {
			require.NoError(t, os.WriteFile(filepath.Join(dir, FileName), make([]byte, maxBytes+1), 0o600))
		}, "larger than"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir, _ := sealed(t)
			tt.spoil(t, dir)
			_, err := Verify(dir)
			require.ErrorContains(t, err, tt.want)
			require.NotContains(t, err.Error(), "\n")
			require.ErrorContains(t, err, dir, "the plugin is named")
		})
	}
}

func TestList(t *testing.T) {
	t.Parallel()
	top := t.TempDir()
	good, _ := sealed(t)
	renamed, _ := sealed(t)
	broken, _ := sealed(t)
	require.NoError(t, os.WriteFile(filepath.Join(broken, FileName), []byte("{"), 0o600))
	for from, to := range map[string]string{good: "fake", renamed: "other-name", broken: "broken"} {
		require.NoError(t, os.Rename(from, filepath.Join(top, to)))
	}
	require.NoError(t, os.Mkdir(filepath.Join(top, "no-plugin"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(top, "file"), nil, 0o600))
	found, wrong := List(top)
	require.Len(t, found, 1)
	require.Equal(t, "fake", found[0].Manifest.ID)
	require.Len(t, wrong, 2)
	require.ErrorContains(t, wrong[0], "broken")
	require.ErrorContains(t, wrong[1], `rename the folder to "fake"`)

	_, wrong = List(filepath.Join(top, "missing"))
	require.Len(t, wrong, 1)
	require.ErrorIs(t, wrong[0], os.ErrNotExist)
}

// TestExecutableNamesItsAlternatives in a stable order.
func TestExecutableNamesItsAlternatives(t *testing.T) {
	t.Parallel()
	m := Manifest{Executables: map[string]Executable{"b-b": {}, "a-a": {}, "c-c": {}}}
	_, err := m.Executable("d-d")
	require.EqualError(t, err, "no executable for d-d, only for a-a, b-b, c-c: install the archive for this platform")
}
