package browser

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/chromedp/cdproto"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
)

// Go opens an address and waits until it is loaded.
func (p *Page) Go(url string) {
	p.t.Helper()
	p.do("open "+url, chromedp.Navigate(url))
}

// Click waits until the first element of the selector is visible, scrolls to it and clicks it with
// the mouse.
func (p *Page) Click(selector string) {
	p.t.Helper()
	p.do("click "+selector, chromedp.Click(chromedp.CSS(selector)))
}

// ClickText clicks the first visible element of the selector whose text, spaces aside, is the given
// one.
func (p *Page) ClickText(selector, text string) {
	p.t.Helper()
	element := shows(selector, text)
	p.Wait("!!" + element)
	p.do("click "+selector+" "+text, chromedp.Click(chromedp.JSPath(element)))
}

// Follow clicks a link until the browser is at another address, and has that page to its end. Where
// a live page exchanges the link under the mouse, a click goes to nobody, and a person clicks
// again.
func (p *Page) Follow(selector string) {
	p.t.Helper()
	p.WaitFor(selector)
	p.follow(selector, chromedp.Click(chromedp.CSS(selector)))
}

// FollowText is Follow for the first visible link of the selector that shows the text. After it the
// page from which it leads is gone, which a page of the same kind cannot be told from.
func (p *Page) FollowText(selector, text string) {
	p.t.Helper()
	element := shows(selector, text)
	p.Wait("!!" + element)
	p.follow(selector+" "+text, chromedp.Click(chromedp.JSPath(element)))
}

func (p *Page) follow(what string, click chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	var before string
	p.Eval("location.href", &before)
	left := "document.readyState !== 'loading' && location.href !== " + js(before)
	p.until("another page after a click on "+what, func() (string, bool) {
		ctx, cancel := context.WithTimeout(p.ctx, clickAgain)
		defer cancel()
		_ = chromedp.Do(ctx, click) // it may have led away already
		for ctx.Err() == nil {
			if gone, err := chromedp.Run(ctx, chromedp.Evaluate[bool](left)); err == nil && gone {
				return "", true
			}
			time.Sleep(20 * time.Millisecond)
		}
		return "the same", false
	})
}

// clickAgain is after how long a person clicks once more. A slow machine may take longer to show
// the page: then the second click finds it there.
const clickAgain = 5 * time.Second

// Type replaces what is in an input or text area by keystrokes; "" empties it. The focus stays
// there: use Press("\t") where a page only looks when the field is left.
func (p *Page) Type(selector, text string) {
	p.t.Helper()
	p.mark(selector)
	if text == "" {
		text = "\b" // takes away what is selected, as any other key does
	}
	p.Press(text)
}

// Paste is Type with the whole text at once, which is quicker where a page does much at each key.
func (p *Page) Paste(selector, text string) {
	p.t.Helper()
	p.mark(selector)
	p.do("paste into "+selector, chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Call(ctx, input.InsertText, input.InsertTextParams{Text: text})
		return err
	}))
}

// mark puts the focus on an input and selects all that is in it.
func (p *Page) mark(selector string) {
	p.t.Helper()
	p.do("focus "+selector, chromedp.Focus(chromedp.CSS(selector), chromedp.NodeVisible))
	p.Eval(fmt.Sprintf("document.querySelector(%s).select()", js(selector)), nil)
}

// Press presses keys wherever the focus is: "\t", "\r", "\b", or those of chromedp's package kb.
func (p *Page) Press(keys string) {
	p.t.Helper()
	p.do(fmt.Sprintf("press %q", keys), chromedp.KeyEvent(keys))
}

// Select chooses an option of a select element by its value or its text.
func (p *Page) Select(selector, option string) {
	p.t.Helper()
	p.WaitFor(selector)
	var options []string
	p.Eval(fmt.Sprintf(`(() => {
		const select = document.querySelector(%s), wanted = %s;
		const option = [...select.options].find(o => o.value === wanted || o.text.trim() === wanted);
		if (!option) return [...select.options].map(o => o.text.trim());
		select.focus();
		select.value = option.value;
		select.dispatchEvent(new Event("input", {bubbles: true}));
		select.dispatchEvent(new Event("change", {bubbles: true}));
		return null;
	})()`, js(selector), js(option)), &options)
	if options != nil {
		p.t.Fatalf("%s has no option %q, but %q", selector, option, options)
	}
}

// Upload puts a file into a file input.
func (p *Page) Upload(selector, path string) {
	p.t.Helper()
	p.do("upload to "+selector, chromedp.SetUploadFiles(chromedp.CSS(selector), []string{path}, chromedp.NodeReady))
}

// WaitFor waits until the selector has a visible element.
func (p *Page) WaitFor(selector string) {
	p.t.Helper()
	p.Wait(visible(selector))
}

// WaitGone waits until the selector has no visible element.
func (p *Page) WaitGone(selector string) {
	p.t.Helper()
	p.Wait("!" + visible(selector))
}

// WaitText waits until a visible element of the selector shows the text.
func (p *Page) WaitText(selector, text string) {
	p.t.Helper()
	p.Wait(fmt.Sprintf("[...document.querySelectorAll(%s)].some(e => e.checkVisibility() && e.innerText.includes(%s))", js(selector), js(text)))
}

// Wait waits until a JavaScript expression is true of a page that is there to its end, across
// navigations: a browser that is slow shows the beginning of a page before it has the rest.
func (p *Page) Wait(expression string) {
	p.t.Helper()
	p.until(expression, func() (string, bool) {
		ctx, cancel := context.WithTimeout(p.ctx, Patience)
		defer cancel()
		ok, err := chromedp.Run(ctx, chromedp.Evaluate[bool]("document.readyState !== 'loading' && !!("+expression+")"))
		if err != nil { // the page may be changing just now
			return err.Error(), false
		}
		return "false", ok
	})
}

// Text is what the first element of the selector shows. It waits for the element.
func (p *Page) Text(selector string) string {
	p.t.Helper()
	p.WaitFor(selector)
	var text string
	p.Eval(fmt.Sprintf("document.querySelector(%s).innerText.trim()", js(selector)), &text)
	return text
}

// Eval runs JavaScript, waits for its promise if it gives one, and decodes its JSON value into a
// pointer unless that is nil.
func (p *Page) Eval(script string, into any) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, Patience)
	defer cancel()
	raw, err := chromedp.Run(ctx, chromedp.Evaluate[[]byte](script, chromedp.EvalAwaitPromise))
	if err == nil && into != nil {
		err = json.Unmarshal(raw, into)
	}
	if err != nil {
		p.fail("evaluate "+short(script), err)
	}
}

// Look sets the size of the window in CSS pixels and what prefers-color-scheme says: "light",
// "dark" or "" for the browser's own.
func (p *Page) Look(width, height int, scheme string) {
	p.t.Helper()
	media := chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
		})
		return err
	})
	p.do("look", chromedp.EmulateViewport(int64(width), int64(height)), media)
}

// NoScripts lets the pages that are opened from now on run no script, as with a browser that has
// them switched off. Eval and what is built on it work all the same.
func (p *Page) NoScripts() {
	p.t.Helper()
	p.do("switch scripts off", chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Call(ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
		return err
	}))
}

// Screenshot is the whole page, beyond the window as well, as PNG.
func (p *Page) Screenshot() []byte {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, Patience)
	defer cancel()
	png, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
	if err != nil {
		p.fail("screenshot", err)
	}
	return png
}

func (p *Page) do(what string, steps ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, Patience)
	defer cancel()
	err := chromedp.Do(ctx, steps...)
	for replaced(err) && ctx.Err() == nil {
		time.Sleep(20 * time.Millisecond)
		if again := chromedp.Do(ctx, steps...); ctx.Err() == nil {
			err = again
		}
	}
	if err != nil {
		p.fail(what, err)
	}
}

// replaced reports whether the browser itself could not do a step, as when a live page has
// exchanged the element between finding it and doing something with it. Nothing has been done then,
// as the mouse and the keys come last: a person would look again. The code is the protocol's for
// all such cases; their sentences are up to the browser's version.
func replaced(err error) bool {
	const serverError = -32000
	var refused *cdproto.Error
	return errors.As(err, &refused) && refused.Code == serverError
}

// until polls: a page has no way to wake us that survives its navigation.
func (p *Page) until(what string, try func() (was string, ok bool)) {
	p.t.Helper()
	deadline := time.Now().Add(Patience)
	for {
		was, ok := try()
		if ok {
			return
		}
		if time.Now().After(deadline) {
			p.fail("wait for "+what, errors.New("it is "+was))
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// fail ends the test with what a person would see.
func (p *Page) fail(what string, err error) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, 5*time.Second)
	defer cancel()
	seen, _ := chromedp.Run(ctx, chromedp.Evaluate[string](`location.href + "\n" + (document.body ? document.body.innerText : "")`))
	p.mu.Lock()
	var problems strings.Builder
	for _, c := range p.problems {
		problems.WriteString(c.line + "\n")
	}
	p.mu.Unlock()
	p.t.Fatalf("%s: %v\npage: %s\n%s", what, err, short(seen), &problems)
}

// shows is the first visible element of the selector that shows the text alone, in JavaScript.
func shows(selector, text string) string {
	return fmt.Sprintf(`[...document.querySelectorAll(%s)].find(e => e.checkVisibility() && e.innerText.trim() === %s)`, js(selector), js(text))
}

func visible(selector string) string {
	return fmt.Sprintf("[...document.querySelectorAll(%s)].some(e => e.checkVisibility())", js(selector))
}

// js quotes a string for JavaScript.
func js(s string) string {
	b, _ := json.Marshal(s) // strings always have a JSON form
	return string(b)
}

func short(s string) string {
	if len(s) > 1500 {
		return s[:1500] + " …"
	}
	return s
}
