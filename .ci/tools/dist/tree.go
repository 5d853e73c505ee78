package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path"
	"slices"
	"strings"
	"time"
)

// entry is a file or a folder of an archive. Its owner is root and its time that of the release,
// whatever the file on disk says. One of data, file, link and dir says what it is.
type entry struct {
	name       string // with slashes
	data       []byte // of a file
	file       string // of a file that is read from here
	link       string // of a symbolic link: where it leads
	dir        bool
	executable bool
	mode       int64 // 0: 0755 of folders and executables, 0644 of others
	owner      int   // user and group
}

// below moves entries into a folder. The entries of the caller are left as they are.
func below(folder string, entries []entry) []entry {
	out := slices.Clone(entries)
	for i := range out {
		out[i].name = path.Join(folder, out[i].name)
	}
	return out
}

// withFolders adds the folders on the way to each entry and sorts all by their names. Programs that
// unpack would else make them with a mode of their own; and sorted, two archives are alike.
func withFolders(entries []entry) []entry {
	have := map[string]bool{}
	for _, e := range entries {
		have[e.name] = true
	}
	out := slices.Clone(entries)
	for _, e := range entries {
		for dir := path.Dir(e.name); dir != "."; dir = path.Dir(dir) {
			if !have[dir] {
				have[dir] = true
				out = append(out, entry{name: dir, dir: true})
			}
		}
	}
	slices.SortFunc(out, func(a, b entry) int { return strings.Compare(a.name, b.name) })
	return out
}

// header is an entry in the words of tar. USTAR has no optional fields that could differ from time
// to time.
func (e entry) header(modified time.Time) (*tar.Header, []byte, error) {
	h := &tar.Header{Format: tar.FormatUSTAR, Name: e.name, Mode: 0o644, Uid: e.owner, Gid: e.owner, ModTime: modified, Typeflag: tar.TypeReg}
	data := e.data
	var err error
	switch {
	case e.dir:
		h.Typeflag, h.Mode, h.Name = tar.TypeDir, 0o755, e.name+"/"
	case e.link != "":
		h.Typeflag, h.Linkname, h.Mode = tar.TypeSymlink, e.link, 0o777
	case e.file != "":
		data, err = os.ReadFile(e.file)
	}
	if e.executable {
		h.Mode = 0o755
	}
	if e.mode != 0 {
		h.Mode = e.mode
	}
	h.Size = int64(len(data))
	return h, data, err
}

// writeTar writes entries as a tar archive. Files are read one at a time.
func writeTar(w io.Writer, modified time.Time, entries []entry) error {
	out := tar.NewWriter(w)
	for _, e := range withFolders(entries) {
		h, data, err := e.header(modified)
		if err != nil {
			return err
		}
		if err := out.WriteHeader(h); err != nil {
			return err
		}
		if _, err := io.Copy(out, bytes.NewReader(data)); err != nil {
			return err
		}
	}
	return out.Close()
}

// writeArchive writes entries as a gzip-compressed tar archive. gzip's own header has neither name
// nor time.
func writeArchive(name string, modified time.Time, entries []entry) (err error) {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	zipped, err := gzip.NewWriterLevel(f, gzip.BestCompression)
	if err != nil {
		return err
	}
	return errors.Join(writeTar(zipped, modified, entries), zipped.Close())
}
