package twilio

import (
	"context"

	"github.com/twilio/twilio-go/client"
	api "github.com/twilio/twilio-go/rest/api/v2010"
	routes "github.com/twilio/twilio-go/rest/routes/v2"
)

// Account is the state of an account (Twilio docs: iam/api/account).
type Account struct {
	Status string // active, suspended, closed
	Trial  bool   // a trial account can only call verified numbers
}

// FetchAccount reads the account. A Standard key must not (error unauthorized; Twilio docs:
// iam/api-keys), but an auth token may: if one is given, it is used instead of the key, which also
// proves that it is right. The base URL follows from edge and region, as for all other requests.
func (c *Client) FetchAccount(ctx context.Context, authToken string) (Account, error) {
	user, password := c.cfg.KeySID, c.cfg.KeySecret
	if authToken != "" {
		user, password = c.cfg.AccountSID, authToken
	}
	var out Account
	err := c.as(ctx, "reading the account", user, password, func(base *client.Client) error {
		svc := api.NewApiService(&client.RequestHandler{Client: base, Edge: c.region.Edge, Region: c.region.Code})
		a, err := svc.FetchAccount(c.cfg.AccountSID)
		if err == nil {
			out = Account{Status: str(a.Status), Trial: str(a.Type) == "Trial"}
		}
		return err
	})
	return out, err
}

// VoiceRegion asks in which region Twilio processes the calls of a number, such as "ie1" (Twilio
// docs: global-infrastructure/inbound-processing-console, routes API). Only keys of US1 may ask. It
// is "" where Twilio names none.
func (c *Client) VoiceRegion(ctx context.Context, number string) (string, error) {
	var region string
	// Without edge and region: the routes API is one for all regions.
	err := c.as(ctx, "reading a number's region", c.cfg.KeySID, c.cfg.KeySecret, func(base *client.Client) error {
		n, err := routes.NewApiService(&client.RequestHandler{Client: base}).FetchPhoneNumber(number)
		if err == nil {
			region = str(n.VoiceRegion)
		}
		return err
	})
	return region, err
}
