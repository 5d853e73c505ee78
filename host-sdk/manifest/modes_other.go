//go:build !unix

package manifest

// checksModes: this system's file modes do not say who may write.
const checksModes = false
