package pages_test

import "testing"

// Me lists when somebody is on call, with the team's page to give a shift away.
func TestMeListsShifts(t *testing.T) {
	t.Parallel()
	s, sent := peopled(t, options{})
	bob := s.as(sent, "Bob@example.com").get("/me").is(200)
	bob.has("When you are on call", "DevOps</strong>, layer 2", "Now</span>", `href="/oncall/devops"`, "Where you are logged in")
	s.as(sent, "vera@example.com").get("/me").is(200).has("Not in the next month.")
}
