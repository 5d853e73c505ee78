package backup

import (
	"archive/tar"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/store/seal"
)

// Write makes an archive at path, for its owner alone. It is written in the folder work, which must
// be on the same file system, and has its name once it is whole. sources are the paths of its files
// by name. A file that exists is not replaced; what fails leaves none. MadeAt, Version, Release and
// Rows are the caller's.
func Write(path, work string, list List, key seal.Key, sources map[string]string) (_ List, err error) {
	list.Format, list.Key, list.Files = Format, key.ID(), nil
	for _, name := range []string{Database, SwitchboardFile} {
		source, ok := sources[name]
		if !ok {
			continue
		}
		f, err := describe(name, source)
		if err != nil {
			return list, err
		}
		list.Files = append(list.Files, f)
	}
	text, err := json.MarshalIndent(list, "", "  ")
	if err != nil {
		return list, err
	}
	sealOfList, err := sealed(key, text)
	if err != nil {
		return list, err
	}
	part, err := os.CreateTemp(work, "archive-*") // for its owner alone
	if err != nil {
		return list, err
	}
	defer func() {
		_ = part.Close() // closed already where all went well
		_ = os.Remove(part.Name())
	}()
	// Most of a database is small already or sealed, which does not compress: speed counts more.
	packed, err := gzip.NewWriterLevel(part, gzip.BestSpeed)
	if err != nil {
		return list, err
	}
	// List and seal come first, so that a reader knows every name, size and hash before it takes
	// the first byte of a file, and reads the archive once from beginning to end.
	w := tar.NewWriter(packed)
	err = errors.Join(add(w, listName, int64(len(text)), list.MadeAt), writeText(w, string(text)), add(w, sealName, int64(len(sealOfList)), list.MadeAt), writeText(w, sealOfList))
	for _, f := range list.Files {
		if err == nil {
			err = addFile(w, f, sources[f.Name], list.MadeAt)
		}
	}
	// Synced before it gets its name: a backup that a power failure empties is none.
	if err = errors.Join(err, w.Close(), packed.Close(), part.Sync(), part.Close()); err != nil {
		return list, err
	}
	// A link, unlike a rename, replaces nothing.
	if err := os.Link(part.Name(), path); errors.Is(err, fs.ErrExist) {
		return list, fmt.Errorf("%s exists already: name another file with --to", path)
	} else if err != nil { // a file system without links
		return list, os.Rename(part.Name(), path)
	}
	return list, nil
}

// describe measures a file. It reads the whole file, so that the list can stand in front.
func describe(name, path string) (File, error) {
	f, err := os.Open(path) //nolint:gosec // the caller's own
	if err != nil {
		return File{}, err
	}
	defer func() { _ = f.Close() }()
	sum := sha256.New()
	n, err := io.Copy(sum, f)
	return File{Name: name, Size: n, SHA256: hex.EncodeToString(sum.Sum(nil))}, err
}

// add begins a member. PAX has no limit of size, and times with whole seconds need no extra header.
func add(w *tar.Writer, name string, size int64, at time.Time) error {
	return w.WriteHeader(&tar.Header{Name: name, Size: size, Mode: 0o600, ModTime: at.Truncate(time.Second), Typeflag: tar.TypeReg, Format: tar.FormatPAX})
}

// writeText writes a member whose length add has given.
func writeText(w io.Writer, text string) error {
	_, err := io.WriteString(w, text)
	return err
}

// addFile writes a file, which must still be as it was described. The caller holds the database
// still; the switchboard file may be edited at any time.
func addFile(w *tar.Writer, f File, path string, at time.Time) error {
	source, err := os.Open(path) //nolint:gosec // the caller's own
	if err != nil {
		return err
	}
	defer func() { _ = source.Close() }()
	if err := add(w, f.Name, f.Size, at); err != nil {
		return err
	}
	// What was appended since is left out: the header has the size already. Other changes show in
	// the hash when the archive is read again, which the caller does.
	n, err := io.Copy(w, io.LimitReader(source, f.Size))
	if err == nil && n != f.Size {
		err = fmt.Errorf("%s has become shorter meanwhile: run the command again", path)
	}
	return err
}
