package pages_test

import (
	"bufio"
	_ "embed"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/people"
	"github.com/livecallrouting/livecall/integration-tests/component"
	"github.com/livecallrouting/livecall/internal/testlog"
	"github.com/livecallrouting/livecall/internal/tied"
)

//go:embed testdata/openid/package.json
var openIDPackage []byte

//go:embed testdata/openid/package-lock.json
var openIDLock []byte

//go:embed testdata/openid/.npmrc
var openIDNpmrc []byte

//go:embed testdata/openid/provider.mjs
var openIDProvider []byte

// providerModules gives a folder with node_modules for provider.mjs.
func providerModules() (string, error) {
	if _, err := exec.LookPath("node"); err != nil {
		return "", fmt.Errorf("no node: apt-get install nodejs npm")
	}
	return component.InstallNPM("livecall-openid-provider", map[string][]byte{"package.json": openIDPackage, "package-lock.json": openIDLock, ".npmrc": openIDNpmrc})
}

// provider is provider.mjs as a process.
type provider struct {
	issuer string
	stop   func()
}

// startProvider starts the provider, which sends browsers back to a host alone.
func startProvider(t *testing.T, host string) *provider {
	t.Helper()
	modules := component.Get(t, component.NPM, providerModules)
	dir := t.TempDir() // Node looks for packages beside the file
	if err := os.WriteFile(filepath.Join(dir, "provider.mjs"), openIDProvider, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(modules, "node_modules"), filepath.Join(dir, "node_modules")); err != nil {
		t.Fatal(err)
	}
	var log testlog.Buffer
	cmd := exec.Command("node", filepath.Join(dir, "provider.mjs"), host+"/login/openid/callback")
	cmd.Stderr = &log
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := tied.Start(cmd); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(stdout)
	if !lines.Scan() {
		t.Fatalf("provider.mjs did not start: %s", &log)
	}
	p := &provider{issuer: lines.Text()}
	p.stop = func() {
		_ = stdin.Close()
		_, _ = io.Copy(io.Discard, stdout)
		_ = cmd.Wait()
		p.stop = func() {}
	}
	t.Cleanup(func() {
		p.stop()
		if t.Failed() {
			t.Logf("provider.mjs logs:\n%s", &log)
		}
	})
	return p
}

// providedSite is a site whose people log in with a provider.
func providedSite(t *testing.T, hands clock.Clock, change func(*people.OpenID)) (*site, *provider) {
	t.Helper()
	component.Get(t, component.NPM, providerModules) // before a host is started
	var p *provider
	s, _ := peopled(t, options{clock: hands, people: func(c *people.Config) {
		if p == nil {
			p = startProvider(t, strings.TrimSuffix(c.PublicURL.String(), "/"))
		}
		c.OpenID = people.OpenID{Issuer: p.issuer, ClientID: "switchboard", Secret: "a-secret-of-the-provider"}
		if change != nil {
			change(&c.OpenID)
		}
	}})
	return s, p
}

// visit is a browser on its way through the provider.
type visit struct {
	*browser
	provider *http.Client // its cookies are the provider's; redirects are not followed
}

func (s *site) visit() *visit {
	s.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		s.t.Fatal(err)
	}
	return &visit{s.browser(), &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// begin asks the host for the address of the provider to which it leads.
func (v *visit) begin(next string) string {
	v.t.Helper()
	quiet := *v.client
	quiet.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	resp, err := quiet.Get(v.base + "/login/openid?next=" + url.QueryEscape(next))
	if err != nil {
		v.t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusSeeOther {
		v.t.Fatalf("the way to the provider: %d", resp.StatusCode)
	}
	return resp.Header.Get("Location")
}

// through logs in at the provider as somebody and returns the path of the host to which it leads
// back; without a login the visit is given up there.
func (v *visit) through(address, login string) string {
	v.t.Helper()
	for range 10 {
		var resp *http.Response
		var err error
		at, perr := url.Parse(address)
		if perr != nil {
			v.t.Fatal(perr)
		}
		if strings.HasPrefix(address, v.base) {
			return at.RequestURI()
		}
		if !strings.HasPrefix(at.Path, "/interaction/") {
			resp, err = v.provider.Get(address)
		} else if login == "" {
			resp, err = v.provider.Get(address + "/abort")
		} else {
			// The page asks for a login, or then for consent: its form says which.
			var page []byte
			if resp, err = v.provider.Get(address); err == nil {
				page, _ = io.ReadAll(resp.Body)
				_ = resp.Body.Close()
				prompt := "consent"
				if strings.Contains(string(page), `name="login"`) {
					prompt = "login"
				}
				resp, err = v.provider.PostForm(address, url.Values{"prompt": {prompt}, "login": {login}, "password": {"x"}})
			}
		}
		if err != nil {
			v.t.Fatal(err)
		}
		body, _ := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if resp.StatusCode/100 != 3 {
			v.t.Fatalf("%s answers %d: %s", address, resp.StatusCode, body)
		}
		next, err := at.Parse(resp.Header.Get("Location"))
		if err != nil {
			v.t.Fatal(err)
		}
		address = next.String()
	}
	v.t.Fatal("the provider leads round and round")
	return ""
}

// logIn goes the whole way.
func (v *visit) logIn(login string) view {
	v.t.Helper()
	return v.get(v.through(v.begin("/oncall"), login))
}

// With a real provider: an account is found by its verified address, and every other outcome says
// what to do. The provider refuses log-ins without PKCE.
func TestOpenIDProviderLogsPeopleIn(t *testing.T) {
	t.Parallel()
	s, p := providedSite(t, nil, nil)
	s.browser().get("/login").is(200).has("Log in with 127.0.0.1:")
	v := s.visit()
	got := v.logIn("alice").is(200).has(`Logged in as </span><span class="who-name">Alice Example`, `id="nav-people"`)
	if got.path != "/oncall" {
		t.Errorf("it leads to %s", got.path)
	}
	v.get("/me").is(200).has("OpenID provider", "alice@example.com")

	for login, want := range map[string]string{
		"imposter": "has not verified your e-mail address alice@example.com. Verify it there",
		"nomail":   "does not say what your e-mail address is",
		"stranger": "There is no account for stranger@example.com. Whoever keeps the switchboard file can add one.",
		"":         "has not let you in (access_denied",
	} {
		v := s.visit()
		v.logIn(login).is(403).has(want)
		v.get("/oncall").is(200).hasNot("Logged in as")
	}
	if got := v.begin("https://elsewhere.example.com/"); v.get(v.through(got, "alice")).path == "https://elsewhere.example.com/" {
		t.Error("it leads to another site")
	}

	// Whatever is played again, or was begun elsewhere, is refused.
	v = s.visit()
	address := v.begin("/")
	base, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	cookies := v.jar.Cookies(base)
	back := v.through(address, "alice")
	s.browser().get(back).is(400).has("was not begun in this browser")
	v.get(back).is(200).has("Logged in as")
	v.get(back).is(200).has("Logged in as") // the page is read again
	thief := s.browser()
	thief.jar.SetCookies(base, cookies)
	thief.get(back).is(400).has("completed already, and its address works once. Begin again.")

	// A code of another log-in.
	other := s.visit()
	state, err := url.Parse(other.begin("/"))
	if err != nil {
		t.Fatal(err)
	}
	old, err := url.Parse(back)
	if err != nil {
		t.Fatal(err)
	}
	other.get("/login/openid/callback?" + url.Values{"state": {state.Query().Get("state")}, "code": {old.Query().Get("code")}}.Encode()).
		is(400).has("does not accept its code: it works once, and for a short time. Begin again.")
	// A nonce of another log-in.
	v = s.visit()
	v.get(v.through(strings.Replace(v.begin("/"), "nonce=", "nonce=x", 1), "alice")).is(400).has("was made for another log-in")

	// The provider goes away.
	v = s.visit()
	back = v.through(v.begin("/"), "alice")
	p.stop()
	v.get(back).is(502).has("does not answer as it should. Try again in a minute, or log in in another way.", "Send me a link")
	s.Server.Config.Handler = s.handler(options{people: func(c *people.Config) {
		c.OpenID = people.OpenID{Issuer: p.issuer, ClientID: "switchboard", Secret: "x"}
	}})
	s.browser().get("/login/openid").is(502).has("does not answer as it should")
}

// A claim admits people without an account, for 12 hours, with its highest role; domains narrow who
// may log in.
func TestOpenIDProviderAdmitsByClaim(t *testing.T) {
	t.Parallel()
	hands := clock.NewManual(time.Now())
	s, _ := providedSite(t, hands, func(o *people.OpenID) { o.RoleClaim, o.Domains = "groups", []string{"example.com"} })
	v := s.visit()
	v.logIn("consultant").is(200).has(`Logged in as </span><span class="who-name">consultant@example.com`).hasNot(`id="nav-people"`)
	v.get("/me").is(200).has("responder", "The platform knows nobody with this account")
	alert := s.call(s.loggedIn("alice").create(), "CA01")
	v.get("/alerts/"+alert).is(200).has("To act on it you must be known: the platform knows nobody with your account.").hasNot("Responders can act on it", `id="act-`)
	v.get("/settings/audit").is(403).has("Your role is responder, and this needs admin.")
	s.visit().logIn("stranger").is(403).has("There is no account for stranger@example.com.")
	s.visit().logIn("elsewhere").is(403).has("Addresses such as elsewhere@example.org may not log in here. Use one of example.com.")
	alice := s.visit()
	alice.logIn("alice").is(200)
	hands.Advance(12*time.Hour + time.Second)
	v.get("/oncall").is(200).has("Your session has expired")
	alice.get("/oncall").is(200).has("Logged in as")
}

func TestOpenIDProviderWithWrongSettings(t *testing.T) {
	t.Parallel()
	t.Run("secret", func(t *testing.T) {
		t.Parallel()
		s, _ := providedSite(t, nil, func(o *people.OpenID) { o.Secret = "another" })
		s.visit().logIn("alice").is(502).has("must correct openid_client_id and openid_client_secret")
	})
	t.Run("issuer", func(t *testing.T) {
		t.Parallel()
		s, _ := providedSite(t, nil, func(o *people.OpenID) { o.Issuer = strings.Replace(o.Issuer, "127.0.0.1", "localhost", 1) })
		s.browser().get("/login/openid").is(502).has("must set openid_issuer to exactly what the provider calls itself")
	})
	t.Run("clock", func(t *testing.T) {
		t.Parallel()
		hands := clock.NewManual(time.Now().Add(time.Minute)) // which does not matter
		s, _ := providedSite(t, hands, nil)
		s.visit().logIn("alice").is(200)
		hands.Advance(2 * time.Hour)
		s.visit().logIn("alice").is(502).has("The clocks of this host and of the provider differ")
		// It was wrong and is set right: the log-in goes by the wall, and a session lasts as long
		// as before.
		hands.Set(-2 * time.Hour)
		v := s.visit()
		v.logIn("alice").is(200)
		hands.Set(-100 * time.Hour)
		v.get("/oncall").is(200).has("Logged in as")
		hands.Set(200 * time.Hour)
		v.get("/oncall").is(200).has("Logged in as")
		s.visit().logIn("alice").is(502).has("The clocks of this host and of the provider differ")
	})
}
