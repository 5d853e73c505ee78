//go:build unix

package access

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// strange gives a file to somebody else; only root can.
func strange(t *testing.T, path string) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can give a file to another user")
	}
	if err := os.Lchown(path, 4711, 4711); err != nil {
		t.Fatal(err)
	}
}

func chmod(t *testing.T, path string, mode os.FileMode) {
	t.Helper()
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}

func TestAWayThatOthersCanChangeIsRefused(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name  string
		spoil func(t *testing.T, base string) // base holds a/b/c and link, which leads to a
		path  string                          // below base
		want  []string                        // in the error; none: accepted
	}{
		{"as installed", nil, "a/b/c", nil},
		{"a link of our own", nil, "link/b/c", nil},
		{"the folder itself", func(t *testing.T, base string) { chmod(t, base+"/a/b/c", 0o777) }, "a/b/c", []string{"/a/b/c is writable for others", "(mode 0777)", "chmod o-w /"}},
		{"a parent", func(t *testing.T, base string) { chmod(t, base+"/a", 0o757) }, "a/b/c", []string{"/a is writable for others", "chmod o-w /"}},
		{"a sticky parent", func(t *testing.T, base string) { chmod(t, base+"/a", 0o777|os.ModeSticky) }, "a/b/c", nil},
		{"this process's group", func(t *testing.T, base string) { chmod(t, base+"/a", 0o775) }, "a/b/c", nil},
		{"behind a link", func(t *testing.T, base string) { chmod(t, base+"/a/b", 0o777) }, "link/b/c", []string{"/a/b is writable for others"}},
		{"somebody else's folder", func(t *testing.T, base string) { strange(t, base+"/a/b/c") }, "a/b/c", []string{"belongs to user 4711", "chown"}},
		{"somebody else's parent", func(t *testing.T, base string) { strange(t, base+"/a") }, "a/b/c", []string{"/a belongs to user 4711"}},
		{"somebody else's link", func(t *testing.T, base string) { strange(t, base+"/link") }, "link/b/c", []string{"/link belongs to user 4711"}},
		{"a link to itself", func(t *testing.T, base string) {
			if err := os.Symlink("loop", base+"/loop"); err != nil {
				t.Fatal(err)
			}
		}, "loop/c", []string{"too many symbolic links"}},
		{"not there", nil, "a/x", []string{"no such file"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			base, err := filepath.EvalSymlinks(t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			if err := os.MkdirAll(base+"/a/b/c", 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink("a", base+"/link"); err != nil {
				t.Fatal(err)
			}
			if tc.spoil != nil {
				tc.spoil(t, base)
			}
			err = Way(filepath.Join(base, tc.path))
			if len(tc.want) == 0 && err != nil {
				t.Fatalf("refused: %v", err)
			}
			for _, want := range tc.want {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("error %v, want %q", err, want)
				}
			}
		})
	}
}

func TestSecretsAreForTheirOwnerAlone(t *testing.T) {
	t.Parallel()
	for mode, refused := range map[os.FileMode]bool{0o600: false, 0o400: false, 0o640: true, 0o604: true, 0o620: true, 0o602: true, 0o666: true} {
		path := filepath.Join(t.TempDir(), "secret")
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		chmod(t, path, mode)
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := Secret(path, info); (err != nil) != refused || err != nil && !strings.Contains(err.Error(), "chmod 600 "+path) {
			t.Errorf("mode %v: %v", mode, err)
		}
	}
	dir := t.TempDir()
	info, err := os.Stat(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := Secret(dir, info); err == nil {
		t.Error("a folder is accepted as a secret")
	}
}

// What an error says to do can be pasted into a shell, whatever the path is called.
func TestRemediesCanBePasted(t *testing.T) {
	t.Parallel()
	shell, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("there is no shell")
	}
	for _, name := range []string{"plain", "a b", "it's", "-x", "$(touch made)", "a;b"} {
		base := t.TempDir()
		path := filepath.Join(base, name)
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		for _, check := range []func(string, fs.FileInfo) error{Unwritable, Secret, folder} {
			chmod(t, path, 0o666)
			info, err := os.Stat(path)
			if err != nil {
				t.Fatal(err)
			}
			_, command, found := strings.Cut(check(path, info).Error(), "): ")
			if !found {
				_, command, _ = strings.Cut(check(path, info).Error(), "changed it: ")
			}
			command, _, _ = strings.Cut(command, ", and ")
			run := exec.CommandContext(t.Context(), shell, "-c", command)
			run.Dir = base
			said, err := run.CombinedOutput()
			if info, statErr := os.Stat(path); err != nil || statErr != nil || info.Mode().Perm()&0o002 != 0 {
				t.Errorf("%s: %v, %v, mode %v\n%s", command, err, statErr, info.Mode(), said)
			}
		}
		if made, err := filepath.Glob(filepath.Join(base, "*")); err != nil || len(made) != 1 {
			t.Errorf("the commands have made something: %v, %v", made, err)
		}
	}
}
