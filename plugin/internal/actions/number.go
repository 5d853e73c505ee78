package actions

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/phone"
	"github.com/livecallrouting/livecall/host-sdk/publicurl"
	"github.com/livecallrouting/livecall/plugin/internal/twilio"
)

// remembered is the state of the integration's own session, kept between actions: it is stored as
// JSON (format 1), sealed by a box. The host keeps it with the integration, so it outlasts the
// process and an upgrade.
type remembered struct {
	// Numbers is what answered the connected numbers before, by the number's SID.
	Numbers map[string]twilio.NumberConfig `json:"numbers"`
	// Own are the numbers that were connected when that was last looked at, in E.164 form.
	Own []string `json:"own,omitempty"`
}

// rememberedFormat is its layout; the host stores it beside the state.
const rememberedFormat = 1

// newer reports whether a later release of the plugin has remembered what this one cannot read. It
// is kept for when that release is back: nothing may be written over it.
func newer(f integration.Facts) bool { return f.Session != nil && f.Session.Format > rememberedFormat }

// recall reads what was remembered. What cannot be read is forgotten: a number is then cleared
// rather than given back. It never fails: an action without its memory can still connect a number.
func recall(f integration.Facts) remembered {
	out := remembered{Numbers: map[string]twilio.NumberConfig{}}
	s := f.Session
	// A state of another format is not guessed at: the next change writes it anew.
	if s == nil || len(s.State) == 0 || s.Format != rememberedFormat {
		return out
	}
	plain, err := boxOf(f).open(s.State)
	if err == nil {
		err = json.Unmarshal(plain, &out)
	}
	// A state that does not open was sealed with another token key.
	if err != nil || out.Numbers == nil {
		out.Numbers = map[string]twilio.NumberConfig{}
	}
	return out
}

// remember puts the state into the result. It takes effect when the host commits the result; the
// Twilio request that it is about has been made by then. Called several times in an action, the
// last one counts.
func (n *numberAction) remember(r remembered) {
	if newer(n.facts) {
		return
	}
	plain, err := json.Marshal(r)
	if err != nil {
		return // a map of texts does not fail
	}
	n.State, n.Format = boxOf(n.facts).seal(plain), rememberedFormat
}

// boxOf makes the box that seals what is remembered. The addresses of others may hold their
// passwords, and the host keeps states in clear. The key is derived from the instance's token key,
// so it needs no place of its own; the label keeps it apart from every other use of that key.
func boxOf(f integration.Facts) box {
	key := sha256.Sum256(append([]byte("remembered numbers\n"), f.Instance.TokenKey...))
	return box(key)
}

// box seals bytes with AES-256-GCM. The sealed form is a random nonce of 12 bytes, the ciphertext
// and a tag of 16 bytes. It holds the key, so it is never printed.
type box [32]byte

// It cannot fail for a key of this length; the error is returned for the day on which that changes.
func (b box) aead() (cipher.AEAD, error) {
	block, err := aes.NewCipher(b[:])
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}

// It returns nil only if the cipher cannot be made, which a key of this length rules out.
func (b box) seal(plain []byte) []byte {
	a, err := b.aead()
	if err != nil {
		return nil // 32 bytes are a key
	}
	return a.Seal(nil, nil, plain, nil) // #nosec G407 -- the cipher makes its own random nonce
}

// An error says that the bytes were cut, changed, or sealed with another key.
func (b box) open(sealed []byte) ([]byte, error) {
	a, err := b.aead()
	if err != nil {
		return nil, err
	}
	// Overhead counts the nonce as well as the tag.
	if len(sealed) < a.Overhead() {
		return nil, errors.New("too short")
	}
	return a.Open(nil, nil, sealed, nil)
}

// shown is an address without credentials or query, either of which may hold a secret of somebody
// else's.
func shown(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return "another address"
	}
	return u.Scheme + "://" + u.Host + u.Path
}

// answeredBy says in a few words what answers a number. Twilio prefers a trunk or an app to
// addresses.
func (n *numberAction) answeredBy(p twilio.PhoneNumber) string {
	switch {
	case p.TrunkSID != "":
		return "belongs to a SIP trunk"
	case p.VoiceApplicationSID != "":
		return "belongs to a TwiML app"
	case n.links.Ours(p.VoiceURL, ""):
		return "is connected here"
	case p.VoiceURL == "":
		return "is answered by nobody"
	}
	return "is answered by " + shown(p.VoiceURL)
}

// list lists the account's numbers, or those alone that are connected here. Each number is offered
// as a choice, so nobody has to type it.
func (n *numberAction) list(ctx context.Context, connected bool) {
	list, ok := n.numbers(ctx, "")
	if !ok {
		return
	}
	listed := 0
	for _, p := range list {
		if connected && !n.links.Ours(p.VoiceURL, "") {
			continue
		}
		listed++
		n.Lines = append(n.Lines, integration.ActionLine{Level: "info", Field: fieldNumber, Choice: p.Number, Text: phone.Display(p.Number) + " " + n.answeredBy(p) + "."})
	}
	// Twilio prefers a trunk or an app of a number to its addresses, so setting them would change
	// nothing but look right (Twilio docs: phone-numbers/api/incomingphonenumber-resource).
	switch {
	case listed == 0 && connected:
		n.line("info", fieldNumber, "No number is connected here.")
	case listed == 0:
		n.line("warning", fieldNumber, "The account has no numbers in region "+n.region()+". Buy one in the Twilio console.")
	default:
		n.line("info", fieldNumber, "Choose one of these numbers.")
	}
}

// one finds the number that a person named, in any spelling of the country in the form. It reports
// false, with a line, if that is no number or none of the account's. With problems there is a line,
// so the caller only has to return.
func (n *numberAction) one(ctx context.Context, number string) (twilio.PhoneNumber, bool) {
	text := number
	number, err := phone.Read(text, n.options.Country)
	if err != nil {
		n.line("error", fieldNumber, fmt.Sprintf("The number %q %v.", text, err))
		return twilio.PhoneNumber{}, false
	}
	list, ok := n.numbers(ctx, number)
	if !ok {
		return twilio.PhoneNumber{}, false
	}
	// Numbers of other regions are not seen with this region's key.
	if len(list) == 0 {
		n.line("error", fieldNumber, "The account has no number "+phone.Display(number)+" in region "+n.region()+".")
		return twilio.PhoneNumber{}, false
	}
	return list[0], true
}

// setPublicURL is the remedy for an address that Twilio cannot call.
const setPublicURL = "Set the host's public address (public_url) to the https address at which the Internet reaches it."

// reachable says why Twilio cannot call the endpoint; nil if it may be able to. It looks at the
// address alone and sends nothing. A simulator reaches every address. A number that is pointed to
// an address inside a network rings nobody.
func (n *numberAction) reachable() error {
	if n.simulated {
		return nil
	}
	return publicurl.Check(n.links.Endpoint())
}

// connect points a number to this integration: voice address, fallback address and status callback.
// What answered the number before is remembered, so that disconnect can give it back. Connecting a
// number again repairs its settings without forgetting what came before. An empty number lists what
// there is to choose from.
func (n *numberAction) connect(ctx context.Context, number string) {
	if number == "" {
		n.list(ctx, false)
		return
	}
	p, ok := n.one(ctx, number)
	if !ok {
		return
	}
	number = phone.Display(p.Number)
	// Checked before anything is changed: a number that answers somewhere now must not be pointed
	// to an address at which nobody answers.
	if err := n.reachable(); err != nil {
		n.line("error", fieldNumber, "Twilio cannot call "+n.links.Endpoint()+": "+err.Error()+". "+number+" was left as it is: it "+n.answeredBy(p)+". "+setPublicURL)
		return
	}
	switch {
	case p.TrunkSID != "":
		n.line("error", fieldNumber, number+" belongs to a SIP trunk, so Twilio would ignore our address. Take it off the trunk in the Twilio console first.")
		return
	case p.VoiceApplicationSID != "":
		n.line("error", fieldNumber, number+" belongs to a TwiML app, so Twilio would ignore our address. Take it off the app in the Twilio console first.")
		return
	}
	// Without an address from the form, Twilio turns to this endpoint again, which continues a
	// known call where it was.
	fallback := n.options.Fallback
	if fallback == "" {
		fallback = n.links.Plain("/resume")
	}
	// If the host fails to store what the number did before, that is lost, but the number works:
	// callers come first.
	if _, err := n.client.Configure(ctx, p.SID, twilio.NumberConfig{VoiceURL: n.links.Plain(""), VoiceFallbackURL: fallback, StatusCallback: n.links.Plain("/status")}); err != nil {
		n.explain(err)
		return
	}
	r := recall(n.facts)
	known := slices.Contains(r.Own, p.Number)
	if !known {
		r.Own = append(r.Own, p.Number)
	}
	// Connected again, it must not be remembered as having been ours before: disconnecting would
	// then change nothing.
	ours := n.links.Ours(p.VoiceURL, "")
	if !ours { // what is ours already is nothing to go back to
		r.Numbers[p.SID] = p.NumberConfig
	}
	if !ours || !known {
		n.remember(r)
	}
	if !ours {
		if p.VoiceURL != "" {
			n.line("info", fieldNumber, "Until now "+number+" was answered by "+shown(p.VoiceURL)+"; that comes back when you disconnect it.")
		}
	}
	n.line("ok", fieldNumber, number+" is connected.")
}

// disconnect gives a number back to what answered it before it was connected. A number that
// somebody has meanwhile pointed elsewhere is left alone. It is idempotent: a number that is not
// connected is left as it is.
func (n *numberAction) disconnect(ctx context.Context, number string) {
	if number == "" {
		n.list(ctx, true)
		return
	}
	p, ok := n.one(ctx, number)
	if !ok {
		return
	}
	number = phone.Display(p.Number)
	if !n.links.Ours(p.VoiceURL, "") {
		n.line("info", fieldNumber, number+" does not send its calls here; nothing was changed.")
		return
	}
	r := recall(n.facts)
	// Nothing remembered gives empty settings, which clear the number's addresses: better that
	// Twilio hangs up at once than that callers reach a host that no longer expects them.
	before := r.Numbers[p.SID]
	if _, err := n.client.Configure(ctx, p.SID, before); err != nil {
		n.explain(err)
		return
	}
	_, known := r.Numbers[p.SID]
	if known || slices.Contains(r.Own, p.Number) {
		delete(r.Numbers, p.SID)
		r.Own = slices.DeleteFunc(r.Own, func(number string) bool { return number == p.Number })
		n.remember(r)
	}
	// Otherwise nobody answers the number from now on, which must be said.
	if before.VoiceURL != "" {
		n.line("ok", fieldNumber, number+" is answered by "+shown(before.VoiceURL)+" again.")
		return
	}
	n.line("ok", fieldNumber, number+" no longer sends its calls here. Give it another address before anybody calls it: until then Twilio hangs up on callers.")
}
