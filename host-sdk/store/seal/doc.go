// Package seal encrypts secrets for the database: XChaCha20-Poly1305 under a key derived from the
// installation's secret key. Each value is bound to its place, so that moving it elsewhere in the
// database is noticed.
//
//	key.go   Key: NewKey, ParseKey, and the check that tells a wrong key at once
//	seal.go  Seal, Open
//	ring.go  Ring: two keys, while one takes the place of the other
package seal
