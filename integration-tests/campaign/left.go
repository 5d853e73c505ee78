package campaign

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"

	"github.com/livecallrouting/livecall/integration-tests/demo"
	"github.com/livecallrouting/livecall/integration-tests/twiliosim"
)

// remains are what the programs and the simulated Twilio hold when nothing is left to do.
type remains struct {
	Live        []string // calls that the host takes for running
	Lines       []string // calls of the simulator that are not over
	Queues      []string // at the simulated Twilio
	Outbox      []string // items of calls
	Processes   int      // of switchboard and plugins
	Descriptors int      // of both
	Goroutines  int      // of switchboard
}

// lookAround finds what is left. root is the folder of all programs of this run.
func lookAround(ctx context.Context, s *demo.Stack, root, database string) (m remains, err error) {
	for _, c := range s.Sim.Calls() {
		if !isFinal(c.Status()) {
			m.Lines = append(m.Lines, c.Sid)
		}
	}
	var live []struct{ SID string }
	if err = s.API(ctx, "GET", "/api/v1/calls?live=true&limit=1000", nil, &live); err != nil {
		return m, err
	}
	for _, c := range live {
		m.Live = append(m.Live, c.SID)
	}
	if m.Queues, err = queues(ctx, s); err != nil {
		return m, err
	}
	if m.Outbox, err = outbox(ctx, database); err != nil {
		return m, err
	}
	pid := s.Process.Process.Pid
	for _, p := range append(children(pid), pid) {
		m.Descriptors += descriptors(p)
	}
	m.Processes = len(running(root))
	m.Goroutines, err = goroutines(ctx, s)
	return m, err
}

// queues are the names of Twilio's queues.
func queues(ctx context.Context, s *demo.Stack) (names []string, err error) {
	req, err := http.NewRequestWithContext(ctx, "GET", s.SimURL+"/2010-04-01/Accounts/"+twiliosim.DefaultAccountSid+"/Queues.json?PageSize=1000", nil)
	if err != nil {
		return nil, err
	}
	req.Host = "api.twilio.com"
	req.SetBasicAuth(twiliosim.DefaultAPIKey, twiliosim.DefaultAPISecret)
	text, err := fetch(req)
	for _, found := range regexp.MustCompile(`"friendly_name":"([^"]*)"`).FindAllStringSubmatch(text, -1) {
		names = append(names, found[1])
	}
	return names, err
}

func fetch(req *http.Request) (string, error) {
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode > 299 {
		err = fmt.Errorf("%s: %s", req.URL, resp.Status)
	}
	return string(b), err
}

// outbox lists the items of calls in a file of SQLite, or a database of PostgreSQL; those of an
// integration's periodic tasks stay.
func outbox(ctx context.Context, database string) (items []string, err error) {
	driver, address := "sqlite", "file:"+database+"?mode=ro&_pragma=busy_timeout(10000)"
	if strings.HasPrefix(database, "postgres:") {
		driver, address = "pgx", database
	}
	db, err := sql.Open(driver, address)
	if err != nil {
		return nil, err
	}
	defer func() { _ = db.Close() }()
	rows, err := db.QueryContext(ctx, "select key, kind, name, phase, attempt from outbox where key like 'CA%' order by id")
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var key, kind, name, phase string
		var attempt int
		if err := rows.Scan(&key, &kind, &name, &phase, &attempt); err != nil {
			return nil, err
		}
		items = append(items, fmt.Sprintf("%s %s %q, phase %s, attempt %d", key, kind, name, phase, attempt))
	}
	return items, rows.Err()
}

var goroutinesLine = regexp.MustCompile(`(?m)^go_goroutines (\d+)`)

func goroutines(ctx context.Context, s *demo.Stack) (int, error) {
	req, err := http.NewRequestWithContext(ctx, "GET", s.URL+"/metrics", nil)
	if err != nil {
		return 0, err
	}
	req.Header.Set("Authorization", "Bearer "+s.Token)
	text, err := fetch(req)
	found := goroutinesLine.FindStringSubmatch(text)
	if err == nil && found == nil {
		err = errors.New("/metrics does not tell the number of goroutines")
	}
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(found[1])
}

// statuses reads the state of every process: its parent and whether it lives (Linux).
func statuses() map[int]int {
	parents := map[int]int{}
	paths, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range paths {
		b, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended
		}
		// pid (name) state ppid …
		_, rest, ok := strings.Cut(string(b), ") ")
		fields := strings.Fields(rest)
		if !ok || len(fields) < 2 || fields[0] == "Z" || fields[0] == "X" {
			continue
		}
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		parents[pid], _ = strconv.Atoi(fields[1])
	}
	return parents
}

// children are the processes that a process has started.
func children(pid int) (out []int) {
	for p, parent := range statuses() {
		if parent == pid {
			out = append(out, p)
		}
	}
	return out
}

// running are the processes whose program, or whose folder, is below dir.
func running(dir string) (out []int) {
	for pid := range statuses() {
		exe, _ := os.Readlink(fmt.Sprintf("/proc/%d/exe", pid))
		if strings.HasPrefix(exe, dir+"/") {
			out = append(out, pid)
		}
	}
	return out
}

func descriptors(pid int) int {
	entries, _ := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	return len(entries)
}

// signalAll sends a signal to processes. One that has ended meanwhile needs none.
func signalAll(pids []int, signal syscall.Signal) error {
	for _, pid := range pids {
		if err := syscall.Kill(pid, signal); err != nil && !errors.Is(err, syscall.ESRCH) {
			return err
		}
	}
	return nil
}
