// Package programs builds the real programs for tests that run them.
package programs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/livecallrouting/livecall/host-sdk/manifest"
)

// kept is the folder below the root that keeps the programs for the next test that wants them: go
// build sees for itself whether one is up to date, and linking takes seconds.
const kept = "bin/tests"

// Build makes DIR/switchboard and DIR/plugins/livecall from the sources below root, as `make build`
// does. args are more arguments of go build, such as -race.
func Build(ctx context.Context, root, dir string, args ...string) error {
	if err := Program(ctx, root, filepath.Join(dir, "switchboard"), "./host-sdk/cmd/switchboard", args...); err != nil {
		return err
	}
	return Plugin(ctx, root, dir, args...)
}

// Plugin makes DIR/plugins/livecall alone.
func Plugin(ctx context.Context, root, dir string, args ...string) error {
	plugin := filepath.Join(dir, "plugins", "livecall")
	if err := os.MkdirAll(plugin, 0o755); err != nil {
		return err
	}
	if err := Program(ctx, root, filepath.Join(plugin, "livecall"), "./plugin", args...); err != nil {
		return err
	}
	_, err := manifest.Seal(filepath.Join(root, "manifest.json"), plugin)
	return err
}

// Program makes the file out from the main package source, which is a path below root.
func Program(ctx context.Context, root, out, source string, args ...string) error {
	if err := lookAt(root); err != nil {
		return err
	}
	built, err := filepath.Abs(filepath.Join(root, kept, path.Base(source)+strings.Join(args, "")))
	if err != nil {
		return err
	}
	for _, file := range []string{built, out} {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return err
		}
	}
	lock, err := os.OpenFile(built+".lock", os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return err
	}
	defer func() { _ = lock.Close() }()
	// Tests of several packages begin at once: one builds, the others wait.
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, "go", append(append([]string{"build", "-ldflags=-s -w"}, args...), "-o", built, source)...)
	cmd.Dir = root
	if text, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s cannot be built: %w\n%s", source, err, text)
	}
	return copyFile(built, out)
}

// lookAt makes go test take a result from its cache only if no source of the programs has changed
// since: it remembers the files that a test looks at, and not those of a build.
func lookAt(root string) error {
	for _, part := range []string{"host-sdk", "plugin", "schema", "internal", "go.mod", "manifest.json"} {
		err := filepath.WalkDir(filepath.Join(root, part), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			_, err = os.Stat(path)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// copyFile copies a program, as a test may change its own.
func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o755)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}
