package integrationtests

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"testing"

	"github.com/livecallrouting/livecall/integration-tests/browser"
	"github.com/livecallrouting/livecall/integration-tests/component"
	"github.com/livecallrouting/livecall/integration-tests/twiliosim"
)

// productPage is the example of a product's page that holds the form.
const productPage = "../host-sdk/examples/remote-platform/node/live_call_routing.mjs"

// product starts the product's page in front of the story's switchboard and returns its address.
func (s *story) product() string {
	s.t.Helper()
	node := component.Get(s.t, component.Browser, func() (string, error) { return exec.LookPath("node") })
	// What a test reads belongs to its cached result: a changed example is tested again.
	if _, err := os.Stat(productPage); err != nil {
		s.t.Fatal(err)
	}
	cmd := exec.Command(node, productPage, "127.0.0.1:0")
	cmd.Env = append(os.Environ(), "SWITCHBOARD_URL="+s.URL, "SWITCHBOARD_TOKEN="+s.Token)
	cmd.Stderr = s.log
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	var port int
	line, _ := bufio.NewReader(out).ReadString('\n')
	if _, err := fmt.Sscanf(line, "serving %d", &port); err != nil {
		s.t.Fatalf("the product's page says %q", line)
	}
	return fmt.Sprintf("http://127.0.0.1:%d/live-call-routing", port)
}

// TestTheFormInAProductsPages fills the form inside the pages of another product, which talks to
// switchboard's API: wrongly at first, then rightly, and presses one of the plugin's buttons.
func TestTheFormInAProductsPages(t *testing.T) {
	t.Parallel()
	s := newStory(t, looks{deskWidth, deskHeight, "light"}, looks{handWidth, handHeight, "dark"},
		looks{deskWidth, deskHeight, "dark"}, looks{handWidth, handHeight, "light"})
	home, p := s.product(), s.desk
	p.IgnoreStatus(404, 422) // the browser notes refused forms in its console
	p.Go(home)
	p.WaitText("h1", "Live call routing")
	s.judge(p, "product-none")
	p.Go(home + "/new")
	p.WaitText("h1", "New hotline")
	s.judge(p, "product-form")
	s.fill("Hotline")
	p.Click(`[name=destination][value="team:devops"]`)
	p.Paste("#option-account_sid", "AC12345")
	p.Click("#save")
	p.WaitText("#option-account_sid-error", "must be AC followed by 32 digits")
	s.seesTheProblem(p)
	s.judge(p, "product-refused")

	p.Paste("#option-account_sid", twiliosim.DefaultAccountSid)
	s.secrets()
	p.Click("#save")
	p.WaitText("h1", "Hotline")
	p.WaitText("code", s.URL+"/integrations/")
	s.judge(p, "product-saved")
	p.Click("#run-check")
	p.WaitText(".result.ok", "Twilio accepts the API key")
	s.judge(p, "product-checked")

	// What was saved is what switchboard has, and the hotline is in the product's list.
	var saved []struct {
		Name         string
		Destinations []struct{ ID string }
		Options      map[string]any
	}
	if err := s.API(t.Context(), "GET", "/api/v1/integrations", nil, &saved); err != nil {
		t.Fatal(err)
	}
	if len(saved) != 1 || saved[0].Name != "Hotline" || len(saved[0].Destinations) != 1 || saved[0].Options["account_sid"] != twiliosim.DefaultAccountSid {
		t.Errorf("saved: %+v", saved)
	}
	p.Go(home)
	p.ClickText("a", "Hotline")
	p.WaitText("h1", "Hotline")
	p.Go(home + "/int_unknown")
	p.WaitText("h1", "Not possible")
	s.judge(p, "product-unknown")
}

// seesTheProblem checks the form that was refused: what was typed is in it, the list of problems has
// the focus and leads to the field, and fields that do not apply are hidden.
func (s *story) seesTheProblem(p *browser.Page) {
	s.t.Helper()
	var kept []any
	p.Eval(`[document.getElementById("name").value, document.getElementById("option-account_sid").value,
		document.querySelectorAll("[name=destination]:checked").length, document.activeElement.id,
		document.querySelector("#problems a").hash, document.querySelectorAll("[data-show-if][hidden]").length > 0]`, &kept)
	want := []any{"Hotline", "AC12345", 1.0, "problems", "#option-account_sid", true}
	if fmt.Sprint(kept) != fmt.Sprint(want) {
		s.t.Errorf("the refused form shows %v, want %v", kept, want)
	}
}
