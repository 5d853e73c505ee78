package main

import (
	"os"
	"path"
	"regexp"
	"strings"
)

// homepage is the public address of the repository. A release's files are below its tag.
const homepage = "https://github.com/livecallrouting/livecall"

var (
	// fencedOrLink finds blocks of code, in which nothing is a link, and links with their target.
	fencedOrLink = regexp.MustCompile("(?ms)^```.*?^```$|\\]\\(([^)\\s]+)\\)")
	// farAway is how a target begins that is no file.
	farAway = regexp.MustCompile(`^([a-z]+:|#|/)`)
)

// relinked are entries whose pages lead from where each lies to where its targets lie: place says
// where an entry is put, as in its archive or on a machine. What the release does not have is
// linked at the repository's public address. A link to a page that lies beside must not lead to the
// network.
func (r *release) relinked(entries []entry, place func(name string) string) ([]entry, error) {
	placed := map[string]string{} // by path in the repository
	for _, e := range entries {
		if name := r.repositoryPath(e); name != "" {
			placed[name] = place(e.name)
		}
	}
	out := make([]entry, len(entries))
	for i, e := range entries {
		out[i] = e
		from := r.repositoryPath(e)
		if from == "" || path.Ext(from) != ".md" {
			continue
		}
		text, err := os.ReadFile(e.file)
		if err != nil {
			return nil, err
		}
		// The committed file stays as it is: the entry has the text itself.
		out[i].file, out[i].data = "", fencedOrLink.ReplaceAllFunc(text, func(found []byte) []byte {
			m := fencedOrLink.FindSubmatch(found)
			target := string(m[1])
			// A block of code, an address, a place on the same page, or an absolute path.
			if target == "" || farAway.MatchString(target) {
				return found
			}
			return []byte("](" + r.target(from, target, placed, place(e.name)) + ")")
		})
	}
	return out, nil
}

// target is where a link leads to, from a page that lies at here. here and placed are paths within
// the archive, from and link those of the repository.
func (r *release) target(from, link string, placed map[string]string, here string) string {
	file, fragment, hasFragment := strings.Cut(link, "#")
	if hasFragment {
		fragment = "#" + fragment
	}
	to := path.Join(path.Dir(from), file)
	if there, ok := placed[to]; ok {
		return relative(path.Dir(here), there) + fragment
	}
	// The forge shows files and folders at different addresses.
	kind := "/blob/v"
	if info, err := os.Stat(r.source.path(to)); err == nil && info.IsDir() {
		kind = "/tree/v"
	}
	return homepage + kind + r.source.version + "/" + to + fragment
}

// repositoryPath is where an entry comes from; "": it was made.
func (r *release) repositoryPath(e entry) string {
	name, found := strings.CutPrefix(e.file, r.source.root+"/")
	if !found {
		return ""
	}
	return name
}

// relative is a path with slashes as seen from a folder. Both are relative to the same root.
func relative(folder, to string) string {
	up := ""
	for folder != "." && folder != "/" && !strings.HasPrefix(to, folder+"/") {
		folder, up = path.Dir(folder), up+"../"
	}
	return up + strings.TrimPrefix(strings.TrimPrefix(to, folder), "/")
}
