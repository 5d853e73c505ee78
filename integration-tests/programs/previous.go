package programs

import (
	"bytes"
	"context"
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// previousCommit is the commit of the previous release; CONTRIBUTING says when it moves.
//
//go:embed previous
var previousCommit string

// Previous returns a folder with the programs of the previous release, laid out as by [Build], from
// the history of the checkout at root. They are built once and kept in .ci/bin. args are more
// arguments of go build. The error says what is missing of the history.
func Previous(ctx context.Context, root string, args ...string) (string, error) {
	commit := strings.TrimSpace(previousCommit)
	kept, err := filepath.Abs(filepath.Join(root, ".ci", "bin", "previous-"+strings.Join(append([]string{commit[:12]}, args...), "")))
	if err != nil {
		return "", err
	}
	if _, err := os.Stat(kept); err == nil {
		return kept, nil
	}
	if err := fetchCommit(ctx, root, commit); err != nil {
		return "", err
	}
	if err := os.MkdirAll(filepath.Dir(kept), 0o755); err != nil {
		return "", err
	}
	// Beside the place where they are kept: another test program may be building them as well, and
	// whoever is first moves its own there.
	work, err := os.MkdirTemp(filepath.Dir(kept), "building-")
	if err != nil {
		return "", err
	}
	defer func() { _ = os.RemoveAll(work) }()
	source, made := filepath.Join(work, "source"), filepath.Join(work, "made")
	if err := os.Mkdir(source, 0o755); err != nil {
		return "", err
	}
	archive := exec.CommandContext(ctx, "git", "archive", "--output", filepath.Join(work, "source.tar"), commit)
	archive.Dir = root
	unpack := exec.CommandContext(ctx, "tar", "-xf", filepath.Join(work, "source.tar"), "-C", source)
	for _, cmd := range []*exec.Cmd{archive, unpack} {
		if text, err := cmd.CombinedOutput(); err != nil {
			return "", fmt.Errorf("the sources of the previous release: %w: %s", err, text)
		}
	}
	if err := Build(ctx, source, made, args...); err != nil {
		return "", fmt.Errorf("the previous release: %w", err)
	}
	if err := os.Rename(made, kept); err != nil {
		if _, there := os.Stat(kept); there != nil {
			return "", err
		}
	}
	return kept, nil
}

// fetchCommit sees to it that the checkout has a commit. A clone without history is asked to fetch
// that one.
func fetchCommit(ctx context.Context, root, commit string) error {
	git := func(args ...string) ([]byte, error) {
		cmd := exec.CommandContext(ctx, "git", args...)
		cmd.Dir = root
		return cmd.CombinedOutput()
	}
	if _, err := git("cat-file", "-e", commit+"^{commit}"); err == nil {
		return nil
	}
	text, err := git("fetch", "--quiet", "--depth", "1", "origin", commit)
	if err == nil {
		return nil
	}
	return fmt.Errorf("the previous release, commit %s, is not in this clone: git fetch --unshallow, or clone with history (%w: %s)",
		commit, err, bytes.TrimSpace(bytes.ReplaceAll(text, []byte("\n"), []byte(" "))))
}
