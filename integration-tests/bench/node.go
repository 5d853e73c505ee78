package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
)

// nodeFunction is the least that a function for such a hotline does on Node: it reads the form of a
// choice from the menu and answers with a document. It checks no signature, makes no alert, stores
// nothing and knows nothing of the call when the next request comes.
const nodeFunction = `
const http = require('node:http');
const teams = { 1: 'DevOps', 2: 'Customer Support' };
const server = http.createServer((req, res) => {
  let body = '';
  req.on('data', part => { body += part; });
  req.on('end', () => {
    const form = new URLSearchParams(body);
    const team = teams[form.get('Digits')];
    const xml = team
      ? '<?xml version="1.0" encoding="UTF-8"?><Response><Say>You have chosen ' + team + '. Please hold the line.</Say>' +
        '<Enqueue waitUrl="/wait?call=' + encodeURIComponent(form.get('CallSid')) + '">' + form.get('CallSid') + '</Enqueue></Response>'
      : '<?xml version="1.0" encoding="UTF-8"?><Response><Gather numDigits="1" action="/menu"><Say>For ' + teams[1] + ', press 1. For ' + teams[2] + ', press 2.</Say></Gather></Response>';
    res.writeHead(200, { 'Content-Type': 'text/xml' });
    res.end(xml);
  });
});
server.listen(0, '127.0.0.1', () => console.log('http://127.0.0.1:' + server.address().port + '/menu'));
`

// node compares choices from the menu, with all the work that they leave to do, with those that a
// function on Node answers, in the same run. Without Node there is nothing to compare with.
func node(ctx context.Context, bin string, p ratioParameters) error {
	program, err := exec.LookPath("node")
	if err != nil {
		return errors.New("there is no node on the PATH: install Node.js to compare with a function on it")
	}
	function := exec.CommandContext(ctx, program, "-e", nodeFunction) // #nosec G204 -- Node, and the text above
	function.Stderr = os.Stderr
	out, err := function.StdoutPipe()
	if err != nil {
		return err
	}
	if err := function.Start(); err != nil {
		return err
	}
	defer func() {
		_ = function.Process.Kill()
		_ = function.Wait()
	}()
	target, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return fmt.Errorf("the function on Node: %w", err)
	}
	target = target[:len(target)-1]
	echo, err := echoApart()
	if err != nil {
		return err
	}
	defer echo.stop()
	b, err := beginRatios(ctx, bin, echo, p)
	if err != nil {
		return err
	}
	defer b.stack.Stop()
	body := "CallSid=CA00000000000000000000000000000001&Digits=2&" + echoBody
	functions := map[int][]figure{}
	for round := range b.rounds + 1 {
		for _, n := range atATime {
			var s sample
			s.measure(n, b.span, func() error { return post(target, body, "") })
			if r := s.result(); r.failed > 0 {
				return fmt.Errorf("the function on Node: %d failed, the last with: %w", r.failed, r.err)
			} else if round > 0 {
				functions[n] = append(functions[n], figure{PerSecond: r.rate})
			}
			if err := b.add(n, round > 0); err != nil {
				return err
			}
		}
	}
	fmt.Println("a second          echo   function on Node   tick of ours   menu answer of ours, with everything stored")
	for _, n := range atATime {
		of := func(kind string) float64 { return median(b.all[fmt.Sprint(kind, n)]).PerSecond }
		function := median(functions[n]).PerSecond
		fmt.Printf("%2d at a time %9.0f %18.0f %9.0f (×%.2f) %9.0f (×%.2f)\n", n, of("echo"), function, of("tick"), of("tick")/function, of("menu answer"), of("menu answer")/function)
	}
	return nil
}
