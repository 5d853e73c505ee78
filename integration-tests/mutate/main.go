package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/livecallrouting/livecall/internal/tempdir"
)

// options are the command's flags.
type options struct {
	pkg, tests, run, skip, files, exclude string
	sample, parallel                      int
	timeout                               time.Duration
}

func main() {
	var o options
	flag.IntVar(&o.sample, "sample", 0, "try only `N` mutants, the same ones each time; 0 means all")
	flag.StringVar(&o.run, "run", "", "run only tests that match this `regexp`")
	flag.StringVar(&o.skip, "skip", "", "do not run tests that match this `regexp`")
	flag.StringVar(&o.files, "files", "", "try only mutants of files whose names match one of these `patterns`, as in a shell, with commas between")
	flag.IntVar(&o.parallel, "parallel", runtime.NumCPU(), "run `N` mutants at a time")
	flag.StringVar(&o.tests, "tests", "", "the `package` whose tests run; default: the mutated one")
	flag.StringVar(&o.exclude, "exclude", "", "`file` of mutants that change nothing, with reasons")
	flag.DurationVar(&o.timeout, "timeout", 0, "for one run; default: 10 s and five times a run without a mutant")
	flag.Parse()
	if flag.NArg() != 1 || o.parallel < 1 || o.sample < 0 {
		flag.Usage()
		os.Exit(2)
	}
	o.pkg = flag.Arg(0)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if _, err := mutate(ctx, o, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "mutate:", err)
		os.Exit(1)
	}
}

// A result counts the verdicts and lists what the tests do not notice.
type result struct {
	Killed               int
	Hung                 []mutant // those of the killed whose tests did not end in time
	Survived, Unreached  []mutant
	Excluded, OutOfSight int // on the list of exclusions; in other files or outside the sample
}

// tempPrefix begins the name of the folder of a run.
const tempPrefix = "mutate-"

// mutate runs one package and prints its report.
func mutate(ctx context.Context, o options, out io.Writer) (result, error) {
	var res result
	tempdir.Sweep("", tempPrefix) // what killed runs have left
	temp, err := tempdir.New("", tempPrefix)
	if err != nil {
		return res, err
	}
	defer func() { _ = temp.Remove() }()
	work := temp.Path
	if o.tests == "" {
		o.tests = o.pkg
	}
	mutants, r, err := prepare(ctx, o, work)
	if err != nil {
		return res, err
	}
	all := len(mutants)
	if o.exclude != "" {
		list, err := readExclusions(o.exclude)
		if err != nil {
			return res, err
		}
		var stale []exclusion
		mutants, stale = exclude(mutants, list)
		for _, x := range stale {
			_, _ = fmt.Fprintf(out, "%s: no such mutant, remove the entry: %s: %s: %s\n", o.exclude, x.file, x.kind, x.text)
		}
		res.Excluded = all - len(mutants)
	}
	chosen, err := inFiles(mutants, o.files)
	if err != nil {
		return res, err
	}
	chosen = sample(chosen, o.sample)
	res.OutOfSight = len(mutants) - len(chosen)
	reached, err := r.reached(ctx, filepath.Join(work, "reached"))
	if err != nil {
		return res, err
	}
	for i, v := range r.judge(ctx, chosen, reached) {
		switch v {
		case killed:
			res.Killed++
		case hung:
			res.Killed++
			res.Hung = append(res.Hung, chosen[i])
		case survived:
			res.Survived = append(res.Survived, chosen[i])
		case untried: // interrupted
		case unreached:
			res.Unreached = append(res.Unreached, chosen[i])
		}
	}
	res.report(out, o.pkg)
	if ctx.Err() != nil {
		return res, errors.New("interrupted: not every mutant was tried")
	}
	return res, nil
}

func (r result) report(out io.Writer, pkg string) {
	for _, m := range r.Hung {
		_, _ = fmt.Fprintf(out, "timed out  %s\n", m)
	}
	for _, m := range r.Survived {
		_, _ = fmt.Fprintf(out, "survived   %s\n", m)
	}
	for _, m := range r.Unreached {
		_, _ = fmt.Fprintf(out, "unreached  %s\n", m)
	}
	tried := r.Killed + len(r.Survived) + len(r.Unreached)
	_, _ = fmt.Fprintf(out, "%s: %d mutants tried: %d killed (%d %%, %d by time-out), %d survived, %d unreached; %d excluded, %d not in the sample\n",
		pkg, tried, r.Killed, 100*r.Killed/max(tried, 1), len(r.Hung), len(r.Survived), len(r.Unreached), r.Excluded, r.OutOfSight)
}

// inFiles returns the mutants of the files whose names match one of the patterns, which have commas
// between them; "" matches all.
func inFiles(mutants []mutant, patterns string) ([]mutant, error) {
	if patterns == "" {
		return mutants, nil
	}
	var out []mutant
	for _, m := range mutants {
		for pattern := range strings.SplitSeq(patterns, ",") {
			ok, err := path.Match(pattern, path.Base(m.File))
			if err != nil {
				return nil, fmt.Errorf("-files %s: %w", pattern, err)
			}
			if ok {
				out = append(out, m)
				break
			}
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("-files %s: no file with a mutant matches", patterns)
	}
	return out, nil
}

// sample chooses n mutants, the same ones every time; 0 means all.
func sample(mutants []mutant, n int) []mutant {
	if n == 0 || n >= len(mutants) {
		return mutants
	}
	out := make([]mutant, 0, n)
	for _, i := range rand.New(rand.NewPCG(1, 2)).Perm(len(mutants))[:n] {
		out = append(out, mutants[i])
	}
	slices.SortFunc(out, func(a, b mutant) int { return a.Number - b.Number })
	return out
}

// A listing is what the go command says about a package.
type listing struct {
	Dir, Name string
	GoFiles   []string
	Module    struct{ Dir string }
}

// list asks the go command about a package.
func list(ctx context.Context, pkg string) (l listing, err error) {
	cmd := exec.CommandContext(ctx, "go", "list", "-json=Dir,Name,GoFiles,Module", pkg)
	cmd.Stderr = os.Stderr
	text, err := cmd.Output()
	if err != nil {
		return l, fmt.Errorf("go list %s: %w", pkg, err)
	}
	return l, json.Unmarshal(text, &l)
}

// prepare instruments the package and builds the test binary below work.
func prepare(ctx context.Context, o options, work string) ([]mutant, *runner, error) {
	target, err := list(ctx, o.pkg)
	if err != nil {
		return nil, nil, err
	}
	tests, err := list(ctx, o.tests)
	if err != nil {
		return nil, nil, err
	}
	var in instrumenter
	replace := map[string]string{} // path in the checkout → path of what is compiled instead
	put := func(name, text string) error {
		replace[filepath.Join(target.Dir, name)] = filepath.Join(work, name)
		return os.WriteFile(filepath.Join(work, name), []byte(text), 0o600)
	}
	for _, name := range target.GoFiles {
		src, err := os.ReadFile(filepath.Join(target.Dir, name))
		if err != nil {
			return nil, nil, err
		}
		rel, err := filepath.Rel(target.Module.Dir, filepath.Join(target.Dir, name))
		if err != nil {
			return nil, nil, err
		}
		text, err := in.instrument(filepath.ToSlash(rel), string(src))
		if err != nil {
			return nil, nil, err
		}
		if err := put(name, text); err != nil {
			return nil, nil, err
		}
	}
	if err := put(runtimeName, switchSource(target.Name, len(in.mutants))); err != nil {
		return nil, nil, err
	}
	dir, err := copyModule(tests, filepath.Join(work, "copy"))
	if err != nil {
		return nil, nil, err
	}
	r := &runner{
		binary: filepath.Join(work, "tests"), dir: dir,
		run: o.run, skip: o.skip, parallel: o.parallel, timeout: o.timeout,
	}
	return in.mutants, r, build(ctx, o.tests, work, r.binary, replace)
}

func build(ctx context.Context, pkg, work, binary string, replace map[string]string) error {
	text, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return err
	}
	overlay := filepath.Join(work, "overlay.json")
	if err := os.WriteFile(overlay, text, 0o600); err != nil {
		return err
	}
	out, err := exec.CommandContext(ctx, "go", "test", "-c", "-overlay", overlay, "-o", binary, pkg).CombinedOutput()
	if err != nil {
		return fmt.Errorf("go test -c %s: %w\n%s", pkg, err, out)
	}
	return nil
}

// copyModule copies the files of a package's module to a folder and returns the package's folder
// there. Tests that fail may write into the folder they run in, so they do not run in the checkout.
func copyModule(pkg listing, to string) (string, error) {
	skip := []string{".git", "bin", "dist", "node_modules"} // not sources
	err := filepath.WalkDir(pkg.Module.Dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(pkg.Module.Dir, path)
		if err != nil {
			return err
		}
		target := filepath.Join(to, rel)
		switch {
		case slices.Contains(skip, d.Name()) && rel != ".":
			if d.IsDir() {
				return filepath.SkipDir
			}
			return nil
		case d.IsDir():
			return os.MkdirAll(target, 0o700)
		case !d.Type().IsRegular():
			return nil
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(target, text, info.Mode().Perm())
	})
	if err != nil {
		return "", err
	}
	rel, err := filepath.Rel(pkg.Module.Dir, pkg.Dir)
	return filepath.Join(to, rel), err
}
