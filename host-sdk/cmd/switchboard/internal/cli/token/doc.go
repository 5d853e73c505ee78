// Package token has the commands about the tokens of programs that use the API.
//
//	token.go  token create, token list, token revoke
package token
