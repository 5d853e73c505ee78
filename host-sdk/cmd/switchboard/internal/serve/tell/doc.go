// Package tell sends mails and notices to people and channels, and knows whom it does not reach.
//
//	notify.go     texts about alerts and shifts, by mail and to addresses
//	mailwatch.go  stands before the mail server: whether it answers, how many mails were sent
//	unreached.go  whom a new alert does not reach
package tell
