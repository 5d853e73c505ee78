package component

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
)

// InstallNPM gives a folder with the packages of package-lock.json in node_modules: from the user's
// cache directory, where name keeps it apart from others, or made there by npm ci. files are
// package.json, package-lock.json and .npmrc. The folder appears whole or not at all, whoever else
// is installing.
func InstallNPM(name string, files map[string][]byte) (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	cache = filepath.Join(cache, name)
	sum := sha256.Sum256(files["package-lock.json"])
	dir := filepath.Join(cache, fmt.Sprintf("%x-%s-%s", sum[:8], runtime.GOOS, runtime.GOARCH))
	if _, err := os.Stat(dir); err == nil {
		return dir, nil
	}
	if _, err := exec.LookPath("npm"); err != nil {
		return "", errors.New("no npm: apt-get install npm")
	}
	if err := os.MkdirAll(cache, 0o750); err != nil {
		return "", err
	}
	fresh, err := os.MkdirTemp(cache, "new-")
	if err != nil {
		return "", err
	}
	defer func() { _ = os.RemoveAll(fresh) }()
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(fresh, name), content, 0o600); err != nil {
			return "", err
		}
	}
	cmd := exec.Command("npm", "ci")
	cmd.Dir = fresh
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("npm ci: %w: is a package registry within reach? %s", err, out)
	}
	// Another process was faster.
	if err := os.Rename(fresh, dir); err != nil && !errors.Is(err, fs.ErrExist) {
		return "", err
	}
	return dir, nil
}
