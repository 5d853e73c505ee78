package process

import (
	"bytes"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// dialed opens a connection and says nothing.
func dialed(t *testing.T, server *httptest.Server) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(time.Minute))
	return conn
}

// ended waits until the server has closed a connection.
func ended(t *testing.T, conn net.Conn) {
	t.Helper()
	if n, err := conn.Read(make([]byte, 1)); n != 0 || err == nil {
		t.Fatalf("the connection is open: %d bytes, %v", n, err)
	} else if timeout, ok := err.(net.Error); ok && timeout.Timeout() { //nolint:errorlint // of the connection itself
		t.Fatal("the connection is still open")
	}
}

func TestSilentConnectionsMakeRoomForRequests(t *testing.T) {
	t.Parallel()
	var hits atomic.Int64
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok") }))
	server.Config.ConnState = NewConnections(3, func() { hits.Add(1) }).Note
	server.Start()
	t.Cleanup(server.Close)
	var silent []net.Conn
	for range 6 {
		silent = append(silent, dialed(t, server))
	}
	for _, conn := range silent[:3] { // the oldest
		ended(t, conn)
	}
	if n := hits.Load(); n < 3 {
		t.Errorf("the limit was counted %d times for three closed connections", n)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: time.Minute}
	for range 5 {
		resp, err := client.Get(server.URL)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
	}
}

func TestRequestsInProgressAreNotCutForNewConnections(t *testing.T) {
	t.Parallel()
	arrived, finish := make(chan struct{}, 3), make(chan struct{})
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		arrived <- struct{}{}
		<-finish
		_, _ = io.WriteString(w, "ok")
	}))
	server.Config.ConnState = NewConnections(2, func() {}).Note
	server.Start()
	t.Cleanup(server.Close)
	answers := make(chan error, 2)
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: time.Minute}
	for range 2 {
		go func() {
			resp, err := client.Get(server.URL)
			if err == nil {
				_ = resp.Body.Close()
			}
			answers <- err
		}()
		<-arrived
	}
	ended(t, dialed(t, server))
	close(finish)
	for range 2 {
		if err := <-answers; err != nil {
			t.Errorf("a request in progress was cut: %v", err)
		}
	}
}

// TestConnectionsAreNoMoreThanTheSystemAllows: a server that cannot accept answers nobody.
func TestConnectionsAreNoMoreThanTheSystemAllows(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ wanted, files, want, lines int }{
		{8000, 65536, 8000, 0}, {8000, 8300, 8000, 0}, {8000, 1024, 724, 1}, {8000, 256, 128, 1}, {50, 1024, 50, 0},
	} {
		var said bytes.Buffer
		if got := Allowed(c.wanted, c.files, slog.New(slog.NewTextHandler(&said, nil))); got != c.want || strings.Count(said.String(), "\n") != c.lines {
			t.Errorf("%d connections where %d files may be open: %d, want %d, and %d lines: %s", c.wanted, c.files, got, c.want, c.lines, &said)
		}
	}
	if n := OpenFiles(); n < 100 {
		t.Errorf("this process may open %d files", n)
	}
}
