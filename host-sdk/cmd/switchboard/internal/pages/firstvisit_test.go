package pages_test

import "testing"

// A first visit leads through the first integration. The steps are read from what there is, say what is
// missing, and go once a call has come in.
func TestAFirstVisitLeadsThroughTheFirstIntegration(t *testing.T) {
	t.Parallel()
	s := newSite(t, options{})
	b := s.loggedIn("alice")
	b.get("/settings/integrations").is(200).has("Your first integration in five steps", "Create an integration with the credentials", "First create the integration: then a number")
	id := b.create()
	b.get("/settings/integrations").is(200).has("<strong>Account</strong> <span class=\"badge ok\">Done", "/settings/integrations/"+id+"#actions", "<strong>Teams</strong> <span class=\"badge ok\">Done", "Call the number",
		"<strong>Number</strong> <span class=\"badge quiet\">No call seen yet")
	s.call(id, "CA01")
	b.get("/settings/integrations").is(200).hasNot("five steps")
}
