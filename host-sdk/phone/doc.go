// Package phone reads, checks, compares and formats telephone numbers by the numbering plans of
// their countries (github.com/nyaruka/phonenumbers, the metadata of libphonenumber).
//
// There is one reading of numbers for the whole project: files, option forms, pages, ban lists and
// webhooks. Reading a number costs tens of microseconds, so callers read it once, where it enters,
// and keep the E.164 form; the last 256 readings are remembered.
//
// # Map
//
//	number.go   reading and checking: [Read], [Doubtful]
//	caller.go   who calls: a number, a withheld number, or another address
//	bans.go     lists of banned numbers
//	display.go  how people see a number
//	replace.go  replacing a number in text, however it is written
package phone
