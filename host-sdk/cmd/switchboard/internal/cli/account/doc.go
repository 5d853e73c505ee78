// Package account has the commands about who uses a host: logins, and what people and programs did.
//
//	login.go  login list, login end
//	audit.go  audit list
package account
