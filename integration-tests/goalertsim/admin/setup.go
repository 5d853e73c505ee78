package admin

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// Dest is a destination: of a contact method, or of a step of a policy.
type Dest struct{ Type, Field, Value string }

// Voice is a telephone, SMS one for text messages; numbers are E.164.
func Voice(number string) Dest { return Dest{"builtin-twilio-voice", "phone_number", number} }

// SMS is a telephone for text messages; the number is E.164.
func SMS(number string) Dest { return Dest{"builtin-twilio-sms", "phone_number", number} }

// Webhook is an address to which GoAlert posts.
func Webhook(url string) Dest { return Dest{"builtin-webhook", "webhook_url", url} }

// User notifies one user.
func User(id string) Dest { return Dest{"builtin-user", "user_id", id} }

// Rotation notifies the active user of a rotation.
func Rotation(id string) Dest { return Dest{"builtin-rotation", "rotation_id", id} }

// Schedule notifies who is on call by a schedule.
func Schedule(id string) Dest { return Dest{"builtin-schedule", "schedule_id", id} }

// literal is the destination in GraphQL.
func (d Dest) literal() string {
	return fmt.Sprintf("{type:%s,args:{%s:%s}}", text(d.Type), d.Field, text(d.Value))
}

func literals(all []Dest) string {
	var list []string
	for _, d := range all {
		list = append(list, d.literal())
	}
	return "[" + strings.Join(list, ",") + "]"
}

type hasID struct{ ID string }

// CreateUser adds a user with the role user. The username needs 3 characters.
func (c *Client) CreateUser(ctx context.Context, username, password, name string) (id string, err error) {
	u, err := create[hasID](ctx, c, "createUser", fmt.Sprintf("{username:%s,password:%s,name:%s,email:%s,role:user}",
		text(username), text(password), text(name), text(username+"@example.com")), "{id}")
	c.Made.add(madeUser, u.ID)
	return u.ID, err
}

// ContactMethod is a new contact method. It is disabled until it is verified.
type ContactMethod struct {
	ID       string
	Disabled bool
	Pending  bool
}

// AddContactMethod gives a user a contact method, with a rule to notify it at once.
func (c *Client) AddContactMethod(ctx context.Context, userID, name string, d Dest) (ContactMethod, error) {
	return create[ContactMethod](ctx, c, "createUserContactMethod",
		fmt.Sprintf("{userID:%s,name:%s,dest:%s,newUserNotificationRule:{delayMinutes:0}}", text(userID), text(name), d.literal()),
		"{id disabled pending}")
}

// SendVerification has GoAlert send a code to a contact method at its next cycle.
func (c *Client) SendVerification(ctx context.Context, methodID string) error {
	_, err := create[bool](ctx, c, "sendContactMethodVerification", "{contactMethodID:"+text(methodID)+"}", "")
	return err
}

// Verify enables a contact method by the code that was sent.
func (c *Client) Verify(ctx context.Context, methodID, code string) error {
	_, err := create[bool](ctx, c, "verifyContactMethod", fmt.Sprintf("{contactMethodID:%s,code:%s}", text(methodID), code), "")
	return err
}

// CreateRotation adds a weekly rotation, in UTC, of users in their order.
func (c *Client) CreateRotation(ctx context.Context, name string, start time.Time, userIDs ...string) (id string, err error) {
	r, err := create[hasID](ctx, c, "createRotation", fmt.Sprintf("{name:%s,timeZone:\"UTC\",start:%s,type:weekly,shiftLength:1,userIDs:%s}",
		text(name), stamp(start), texts(userIDs)), "{id}")
	c.Made.add(madeRotation, r.ID)
	return r.ID, err
}

// CreateSchedule adds a schedule by which rotations are on call at all times.
func (c *Client) CreateSchedule(ctx context.Context, name string, rotationIDs ...string) (id string, err error) {
	var targets []string
	for _, r := range rotationIDs {
		targets = append(targets, fmt.Sprintf("{target:{id:%s,type:rotation},rules:[{start:\"00:00\",end:\"00:00\","+
			"weekdayFilter:[true,true,true,true,true,true,true]}]}", text(r)))
	}
	s, err := create[hasID](ctx, c, "createSchedule", fmt.Sprintf("{name:%s,timeZone:\"UTC\",targets:[%s]}",
		text(name), strings.Join(targets, ",")), "{id}")
	c.Made.add(madeSchedule, s.ID)
	return s.ID, err
}

// Override puts one user on call by a schedule in place of another; add or remove may be "".
func (c *Client) Override(ctx context.Context, scheduleID string, start, end time.Time, add, remove string) error {
	input := fmt.Sprintf("{scheduleID:%s,start:%s,end:%s", text(scheduleID), stamp(start), stamp(end))
	if add != "" {
		input += ",addUserID:" + text(add)
	}
	if remove != "" {
		input += ",removeUserID:" + text(remove)
	}
	_, err := create[hasID](ctx, c, "createUserOverride", input+"}", "{id}")
	return err
}

// NotifySchedule has GoAlert post to a webhook when somebody else is on call by a schedule.
func (c *Client) NotifySchedule(ctx context.Context, scheduleID, webhookURL string) error {
	_, err := create[bool](ctx, c, "setScheduleOnCallNotificationRules",
		fmt.Sprintf("{scheduleID:%s,rules:[{dest:%s}]}", text(scheduleID), Webhook(webhookURL).literal()), "")
	return err
}

// CreatePolicy adds an escalation policy without steps, which repeats so often; -1 is forever.
func (c *Client) CreatePolicy(ctx context.Context, name string, repeat int) (id string, err error) {
	p, err := create[hasID](ctx, c, "createEscalationPolicy", fmt.Sprintf("{name:%s,repeat:%d}", text(name), repeat), "{id}")
	c.Made.add(madePolicy, p.ID)
	return p.ID, err
}

// AddStep adds a step that lasts so many minutes, at least one, before the next.
func (c *Client) AddStep(ctx context.Context, policyID string, delayMinutes int, actions ...Dest) (number int, err error) {
	s, err := create[struct{ StepNumber int }](ctx, c, "createEscalationPolicyStep",
		fmt.Sprintf("{escalationPolicyID:%s,delayMinutes:%d,actions:%s}", text(policyID), delayMinutes, literals(actions)), "{stepNumber}")
	return s.StepNumber, err
}

// Service is a service with one generic integration key.
type Service struct {
	ID   string
	Href string // of the integration key; it contains the key
}

// Label is a label of a service, such as example.com/team with the value payments.
type Label struct{ Key, Value string }

// CreateService adds a service with a generic integration key named keyName.
func (c *Client) CreateService(ctx context.Context, name, policyID, keyName string, labels ...Label) (Service, error) {
	s, err := create[struct {
		ID              string
		IntegrationKeys []struct{ Href string }
	}](ctx, c, "createService", fmt.Sprintf("{name:%s,escalationPolicyID:%s,labels:[%s],newIntegrationKeys:[{type:generic,name:%s}]}",
		text(name), text(policyID), labelList(labels), text(keyName)), "{id integrationKeys{href}}")
	c.Made.add(madeService, s.ID)
	if err == nil && len(s.IntegrationKeys) != 1 {
		err = fmt.Errorf("createService: %d integration keys, want 1", len(s.IntegrationKeys))
	}
	if err != nil {
		return Service{}, err
	}
	return Service{ID: s.ID, Href: s.IntegrationKeys[0].Href}, nil
}

// CreateBareService adds a service without an integration key.
func (c *Client) CreateBareService(ctx context.Context, name, policyID string, labels ...Label) (id string, err error) {
	s, err := create[hasID](ctx, c, "createService", fmt.Sprintf("{name:%s,escalationPolicyID:%s,labels:[%s]}",
		text(name), text(policyID), labelList(labels)), "{id}")
	c.Made.add(madeService, s.ID)
	return s.ID, err
}

func labelList(labels []Label) string {
	var list []string
	for _, l := range labels {
		list = append(list, fmt.Sprintf("{key:%s,value:%s}", text(l.Key), text(l.Value)))
	}
	return strings.Join(list, ",")
}

// AddIntegrationKey gives a service another generic integration key, and returns its address.
func (c *Client) AddIntegrationKey(ctx context.Context, serviceID, name string) (href string, err error) {
	k, err := create[struct{ Href string }](ctx, c, "createIntegrationKey",
		fmt.Sprintf("{serviceID:%s,type:generic,name:%s}", text(serviceID), text(name)), "{href}")
	return k.Href, err
}

// DeleteKey takes an API key away.
func (c *Client) DeleteKey(ctx context.Context, id string) error {
	return c.Query(ctx, fmt.Sprintf("mutation{deleteGQLAPIKey(id:%s)}", text(id)), nil)
}

// SetMaintenance has nobody notified of a service's alerts until a time.
func (c *Client) SetMaintenance(ctx context.Context, serviceID string, until time.Time) error {
	_, err := create[bool](ctx, c, "updateService", fmt.Sprintf("{id:%s,maintenanceExpiresAt:%s}", text(serviceID), stamp(until)), "")
	return err
}

// CreateKey adds an API key that lets one document be run; the role is user or admin.
func (c *Client) CreateKey(ctx context.Context, name, role, document string, expires time.Time) (*Client, error) {
	var out struct{ CreateGQLAPIKey struct{ ID, Token string } }
	err := c.Send(ctx, Request{
		Query: "mutation($i:CreateGQLAPIKeyInput!){createGQLAPIKey(input:$i){id token}}",
		Variables: map[string]any{"i": map[string]any{
			"name": name, "description": name, "expiresAt": expires.UTC().Format(time.RFC3339), "role": role, "query": document,
		}},
	}, &out)
	c.Made.add(madeKey, out.CreateGQLAPIKey.ID)
	return &Client{URL: c.URL, Token: out.CreateGQLAPIKey.Token, HTTP: c.HTTP}, err
}
