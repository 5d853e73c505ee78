package layout

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"mime"
	"net/http"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/form"
)

//go:embed static
var staticFiles embed.FS

// asset is a file that browsers keep forever: its name changes with its content. The name is what
// addresses have; the key in assets is what templates and code say.
type asset struct {
	name string // such as app.1f2e3d4c.css
	data []byte
}

// assets are the files of the pages by their names in the source.
var assets = loadAssets()

// loadAssets puts a hash of its content into the name of each file: a browser that has cached a
// file asks again only when a release has changed it. It runs once when the program starts. Four
// bytes of a hash are enough to tell releases apart; nothing relies on them for security.
func loadAssets() map[string]asset {
	all := map[string]asset{}
	add := func(name string, data []byte) {
		sum := sha256.Sum256(data)
		ext := path.Ext(name)
		all[name] = asset{strings.TrimSuffix(name, ext) + "." + hex.EncodeToString(sum[:4]) + ext, data}
	}
	read := func(name string) []byte {
		data, err := staticFiles.ReadFile("static/" + name)
		if err != nil {
			panic(err) // embedded: cannot be missing
		}
		return data
	}
	for _, name := range []string{"app.js", "notify.js", "icon.svg"} {
		add(name, read(name))
	}
	// form.css is what an integration's form needs, also inside another product.
	palette, rules := read("palette.css"), read("form.css")
	add("app.css", slices.Concat(palette, rules, read("app.css")))
	// On the page of another product the same rules hold inside of the form alone: nested in CSS,
	// they touch nothing else there.
	palette = bytes.Replace(palette, []byte(":root {"), []byte("& {\n  color: var(--ink);"), 1)
	add("form.css", slices.Concat([]byte(".integration-form {\n"), palette, rules, []byte("}\n")))
	add("form.js", form.Script)
	return all
}

// AssetPath is the path of a file of the pages, by its name in the source, below the public URL.
func AssetPath(name string) string { return "/static/" + assets[name].name }

// Static serves the files of the pages, for one year: their names change with their content. The
// files are few, so the list is gone through.
func Static(w http.ResponseWriter, r *http.Request) {
	// Only the current name is served: a page of an older release asks for one that is gone, and
	// gets 404 rather than a mixture.
	for _, a := range assets {
		if a.name == r.PathValue("name") {
			a.serve(w, r, "public, max-age=31536000, immutable")
			return
		}
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	http.Error(w, "no such file", http.StatusNotFound)
}

// Favicon serves the icon at the address where browsers look for one. Its name cannot change with
// its content, so it is kept for a day only.
func Favicon(w http.ResponseWriter, r *http.Request) {
	assets["icon.svg"].serve(w, r, "public, max-age=86400")
}

// serve sends the file. Without a modification time: embedded files have none, and the name says
// which version it is.
func (a asset) serve(w http.ResponseWriter, r *http.Request, cacheControl string) {
	w.Header().Set("Cache-Control", cacheControl)
	w.Header().Set("Content-Type", mime.TypeByExtension(path.Ext(a.name)))
	http.ServeContent(w, r, a.name, time.Time{}, bytes.NewReader(a.data))
}
