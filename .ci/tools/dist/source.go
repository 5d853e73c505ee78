package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// source is the checkout that a release is made of. Nothing of a release depends on when or where
// it is built.
type source struct {
	root      string    // absolute
	version   string    // of manifest.json
	committed time.Time // UTC
}

// open reads which version a checkout is and when it was committed: every time in a release is that
// of the commit, or of SOURCE_DATE_EPOCH in seconds.
func open(root string) (*source, error) {
	abs, err := filepath.Abs(root)
	if err != nil {
		return nil, err
	}
	s := &source{root: abs}
	text, err := os.ReadFile(s.path("manifest.json"))
	if err != nil {
		return nil, err
	}
	var manifest struct{ Version string }
	if err := json.Unmarshal(text, &manifest); err != nil {
		return nil, fmt.Errorf("manifest.json: %w", err)
	}
	if manifest.Version == "" {
		return nil, errors.New("manifest.json says no version")
	}
	s.version = manifest.Version
	seconds := os.Getenv("SOURCE_DATE_EPOCH")
	if seconds == "" {
		if seconds, err = s.command(nil, "git", "log", "-1", "--format=%ct"); err != nil {
			return nil, fmt.Errorf("the time of the commit is unknown; SOURCE_DATE_EPOCH may say it: %w", err)
		}
	}
	unix, err := strconv.ParseInt(strings.TrimSpace(seconds), 10, 64)
	if err != nil {
		return nil, fmt.Errorf("SOURCE_DATE_EPOCH %q is no number of seconds", seconds)
	}
	s.committed = time.Unix(unix, 0).UTC()
	return s, nil
}

// path is a file of the checkout. An absolute one stays as it is.
func (s *source) path(name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(s.root, filepath.FromSlash(name))
}

// files are the committed files below a folder whose names the filter accepts. None is an error: a
// folder that was moved must not silently be missing.
func (s *source) files(folder string, accept func(name string) bool) ([]string, error) {
	list, err := s.command(nil, "git", "ls-files", "-z", "--", folder)
	if err != nil {
		return nil, err
	}
	var out []string
	for name := range strings.SplitSeq(strings.TrimSuffix(list, "\x00"), "\x00") {
		if accept(path.Base(name)) {
			out = append(out, name)
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("no file of %s is committed", folder)
	}
	return out, nil
}

// command runs a command in the checkout, with more environment variables, and returns what it
// prints. What it prints to its error output is in the error.
func (s *source) command(env []string, name string, args ...string) (string, error) {
	cmd := exec.Command(name, args...)
	cmd.Dir = s.root
	cmd.Env = append(os.Environ(), env...)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, errs.Bytes())
	}
	return string(out), nil
}

// toolchain takes from the environment what would change the bytes that the Go command writes. The
// module cache and its proxy stay the caller's. platform is os-arch, as manifests have it.
func toolchain(platform string) []string {
	goos, arch, _ := strings.Cut(platform, "-")
	return []string{
		"CGO_ENABLED=0", "GOOS=" + goos, "GOARCH=" + arch, "GOFLAGS=", "GOEXPERIMENT=", "GODEBUG=", "GOWORK=off",
		"GOAMD64=v1", "GOARM64=v8.0", "GOFIPS140=off",
	}
}
