package goalert

import (
	"encoding/json"
	"time"
)

// slots is how many things the operations Names and People ask for in one request: GoAlert allows
// 100 database calls a request.
const slots = 8

// Document holds the operations of this package. GoAlert binds an API key to one document and
// refuses every other text, so a change here needs new keys (see [Setup]). It asks for nothing that
// was not seen to work on GoAlert v0.34.1.
const Document = `
query Names($s0:ID!,$s1:ID!,$s2:ID!,$s3:ID!,$s4:ID!,$s5:ID!,$s6:ID!,$s7:ID!){
  s0:service(id:$s0){id name} s1:service(id:$s1){id name} s2:service(id:$s2){id name} s3:service(id:$s3){id name}
  s4:service(id:$s4){id name} s5:service(id:$s5){id name} s6:service(id:$s6){id name} s7:service(id:$s7){id name}
}
query People($s0:ID!,$s1:ID!,$s2:ID!,$s3:ID!,$s4:ID!,$s5:ID!,$s6:ID!,$s7:ID!){
  s0:user(id:$s0){...person} s1:user(id:$s1){...person} s2:user(id:$s2){...person} s3:user(id:$s3){...person}
  s4:user(id:$s4){...person} s5:user(id:$s5){...person} s6:user(id:$s6){...person} s7:user(id:$s7){...person}
}
fragment person on User{id name contactMethods{disabled dest{type args}}}
query OnCall($service:ID!){service(id:$service){...duty}}
fragment duty on Service{
  id name maintenanceExpiresAt onCallUsers{userID userName stepNumber} escalationPolicy{repeat steps{stepNumber delayMinutes}}
}
query Alert($alert:Int!,$service:ID!){
  alert(id:$alert){
    alertID status state{stepNumber repeatCount lastEscalation} recentEvents(input:{limit:50}){nodes{id timestamp message}}
  }
  service(id:$service){...duty}
}
query Poll($service:ID!,$since:ISOTimestamp!){
  service(id:$service){recentEvents(input:{since:$since,limit:100}){nodes{id alertID timestamp}}}
}
mutation Acknowledge($alert:Int!){updateAlerts(input:{alertIDs:[$alert],newStatus:StatusAcknowledged}){alertID}}
mutation Note($alert:Int!,$note:String!){updateAlerts(input:{alertIDs:[$alert],noiseReason:$note}){alertID}}
mutation Escalate($alert:Int!){escalateAlerts(input:[$alert]){alertID}}
`

// pollLimit is the limit of the operation Poll: an answer of so many lines may have left some out.
const pollLimit = 100

// The shapes of answers: the fields that the document asks for. encoding/json matches their names
// in any case.

type namedAnswer map[string]*struct{ ID, Name string }

type personAnswer map[string]*struct {
	ID, Name       string
	ContactMethods []struct {
		Disabled bool
		Dest     struct {
			Type string
			Args map[string]json.RawMessage // whatever belongs to the type
		}
	}
}

// service is a service with its policy and who is on call by it. It is the truth as of the engine's
// last cycle, by default five seconds old at most.
type service struct {
	ID, Name             string
	MaintenanceExpiresAt *time.Time
	OnCallUsers          []onCallUser
	EscalationPolicy     *struct {
		Repeat int // -1: forever
		Steps  []struct{ StepNumber, DelayMinutes int }
	}
}

// One person may be in several steps, and then comes once for each.
type onCallUser struct {
	UserID, UserName string
	StepNumber       int // from 0
}

type serviceAnswer struct{ Service *service }

// The statuses of an alert.
const (
	unacknowledged = "StatusUnacknowledged"
	acknowledged   = "StatusAcknowledged"
	closed         = "StatusClosed"
)

// What GoAlert knows of an alert; who acknowledged it stands only in the words of its log.
type alert struct {
	AlertID int
	Status  string
	State   *struct { // nil once closed, and by a policy without steps
		StepNumber     int        // from 0
		RepeatCount    int        // from 0
		LastEscalation *time.Time // nil before the first step
	}
	RecentEvents struct{ Nodes []line }
}

// line is a line of an alert's log. Ids rise with time, but lines of one moment may appear out of
// order.
type line struct {
	ID        int
	AlertID   int // of a service's log
	Timestamp time.Time
	Message   string
}

type alertAnswer struct {
	Alert   *alert
	Service *service
}

type pollAnswer struct {
	Service *struct {
		RecentEvents struct{ Nodes []line }
	}
}

// changedAnswer is what changes answer: null when nothing changed, which is no error.
type changedAnswer struct {
	UpdateAlerts []struct{ AlertID int }
}
