// Package rehearsal plays a call that never was, to find out who would be reached: for the button
// beside the form. It knows the call flow as the joining package does, by its events and effects,
// so that it cannot promise what a call would not do.
package rehearsal
