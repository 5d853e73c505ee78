//go:build unix

package manifest

// checksModes: file modes say who may write.
const checksModes = true
