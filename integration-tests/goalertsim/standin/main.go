// Command standin runs the stand-in for a GoAlert server as a process, with one service to try the
// guide with: Alice Example is on call in its first layer, Bob Example in its second. It keeps
// everything in memory, and its calls to people ring nobody.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"time"

	"github.com/livecallrouting/livecall/integration-tests/goalertsim"
	"github.com/livecallrouting/livecall/integration-tests/goalertsim/admin"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:18181", "address to listen on")
	alice := flag.String("alice", "+12025550143", "telephone of Alice Example")
	bob := flag.String("bob", "+12025550144", "telephone of Bob Example")
	flag.Parse()
	if err := run(*listen, *alice, *bob); err != nil {
		log.Fatal(err)
	}
}

func run(listen, alice, bob string) error {
	listener, err := net.Listen("tcp", listen)
	if err != nil {
		return err
	}
	telephones, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	twilio := &admin.Twilio{AuthToken: "stand-in-token"}
	serve(telephones, twilio)
	url := "http://" + listener.Addr().String()
	sim, err := goalertsim.New(goalertsim.Config{
		PublicURL: url, DisableMessageBundles: true,
		TwilioURL: "http://" + telephones.Addr().String(), TwilioAccountSID: "AC00000000000000000000000000000000", TwilioAuthToken: twilio.AuthToken,
	})
	if err != nil {
		return err
	}
	defer sim.Close()
	done := serve(listener, sim)
	if err := furnish(url, twilio, alice, bob); err != nil {
		return err
	}
	fmt.Printf("The stand-in for GoAlert is at %s. Its administrator is admin, with the password admin12345.\n", url)
	return <-done
}

func serve(l net.Listener, h http.Handler) <-chan error {
	server := &http.Server{Handler: h, ReadHeaderTimeout: time.Minute}
	server.SetKeepAlivesEnabled(false)
	done := make(chan error, 1)
	go func() { done <- server.Serve(l) }()
	return done
}

// furnish makes people with verified telephones, and a service.
func furnish(url string, twilio *admin.Twilio, numbers ...string) error {
	ctx := context.Background()
	c, err := admin.Login(ctx, url, "admin", "admin12345")
	if err != nil {
		return err
	}
	policy, err := c.CreatePolicy(ctx, "Payments policy", 0)
	if err != nil {
		return err
	}
	for i, name := range []string{"Alice Example", "Bob Example"} {
		id, err := c.CreateUser(ctx, fmt.Sprintf("user%d", i), "password-of-a-test", name)
		if err != nil {
			return err
		}
		if err := telephone(ctx, c, twilio, id, numbers[i]); err != nil {
			return err
		}
		if _, err := c.AddStep(ctx, policy, 5, admin.User(id)); err != nil {
			return err
		}
	}
	_, err = c.CreateBareService(ctx, "Payments", policy)
	return err
}

// telephone gives a person a verified one.
func telephone(ctx context.Context, c *admin.Client, twilio *admin.Twilio, user, number string) error {
	m, err := c.AddContactMethod(ctx, user, "mobile", admin.Voice(number))
	if err == nil {
		err = c.SendVerification(ctx, m.ID)
	}
	for deadline := time.Now().Add(time.Minute); err == nil && twilio.Code(number) == ""; time.Sleep(100 * time.Millisecond) {
		if time.Now().After(deadline) {
			return fmt.Errorf("no code came for %s", number)
		}
	}
	if err != nil {
		return err
	}
	return c.Verify(ctx, m.ID, twilio.Code(number))
}
