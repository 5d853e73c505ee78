package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/hosttest"
)

// BenchmarkWebhookBesideReaders measures the answer to a call's request, by a real process, while
// so many browsers read the page of alerts again and again, over 100,000 resolved alerts. The
// readers and the process share the machine.
func BenchmarkWebhookBesideReaders(b *testing.B) {
	for _, readers := range []int{0, 10} {
		b.Run(fmt.Sprint(readers), func(b *testing.B) { benchmarkWebhook(b, readers) })
	}
}

func benchmarkWebhook(b *testing.B, readers int) {
	dir := newDir(b, hosttest.File)
	if got := start(b, dir).ready().stop(); got != 0 {
		b.Fatalf("it ended with %v", got)
	}
	fillAlerts(b, dir, 100_000, "resolved")
	p := start(b, dir).ready()
	id := p.create(p.token())
	ctx, cancel := context.WithCancel(b.Context())
	var reading sync.WaitGroup
	defer reading.Wait()
	defer cancel()
	for range readers {
		jar, err := cookiejar.New(nil)
		if err != nil {
			b.Fatal(err)
		}
		client := &http.Client{Jar: jar, Transport: &http.Transport{}}
		if _, err := client.PostForm(p.url+"/login", url.Values{"token": {p.token()}}); err != nil {
			b.Fatal(err)
		}
		reading.Go(func() {
			for ctx.Err() == nil {
				if err := readPage(ctx, client, p.url+"/alerts"); err != nil && ctx.Err() == nil {
					b.Error(err)
				}
			}
		})
	}
	var took []time.Duration
	b.ResetTimer()
	for b.Loop() {
		began := time.Now()
		if status, body := p.webhook(id, "Call=CA1&From=%2B12025550143"); status != 200 || body != "please hold" {
			b.Fatalf("%d %s", status, body)
		}
		took = append(took, time.Since(began))
	}
	b.StopTimer()
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "ms/p50")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "ms/p99")
}

// readPage reads a page to its end.
func readPage(ctx context.Context, client *http.Client, address string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != 200 || resp.Request.URL.Path != "/alerts" {
		return fmt.Errorf("%s is answered %d at %s", address, resp.StatusCode, resp.Request.URL.Path)
	}
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}
