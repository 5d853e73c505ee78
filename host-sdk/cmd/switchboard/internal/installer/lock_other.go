//go:build !unix

package installer

// Lock keeps nobody away here: plugins need the sockets of Unix to run.
func (f Folder) Lock() (release func(), err error) { return func() {}, f.prepare() }
