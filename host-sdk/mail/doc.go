// Package mail sends the engine's mails to an SMTP server.
//
//	sender, err := mail.New("smtp://hotline:…@mail.example.com:587", "Hotline <hotline@example.com>", "https://hotline.example.com", mail.Options{})
//	engine.Config{Mailer: sender, …}
//
// # Map
//
//	url.go      the server's URL: what it may say, and what is never shown of it
//	sender.go   Options, New, Sender: one connection for each mail
//	compose.go  from engine.OutgoingMail to a message: link, attachments, headers
//	check.go    signing in and leaving again
//	fault.go    what a server's refusal means: try again, never again, or wrong credentials
package mail
