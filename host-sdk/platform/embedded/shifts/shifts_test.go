package shifts_test

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded/shifts"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded/switchboardfile"
	"github.com/livecallrouting/livecall/host-sdk/store/sqldb"
	"github.com/livecallrouting/livecall/host-sdk/store/sqldb/filetest"
	"github.com/livecallrouting/livecall/integration-tests/postgres"
)

const file = `
users:
  - {id: alice, name: Alice Example, email: alice@example.com, phones: ["+12025550143"]}
  - {id: bob, name: Bob Example, email: bob@example.com, phones: ["+12025550144"]}
  - {id: carol, name: Carol Example, phones: ["+12025550145"]}
teams:
  - id: devops
    name: DevOps
    admins: [carol]
    schedule:
      timezone: UTC
      layers:
        - rotation: {start: "2026-01-05T00:00", every: 1d, users: [alice, bob]}
        - users: [carol]
`

var start = time.Date(2026, 1, 5, 8, 0, 0, 0, time.UTC) // Alice's day

// world is a service on a file, a database and a clock that stands still.
type world struct {
	*shifts.Service
	file  *switchboardfile.Source
	clock *clock.Manual

	mu    sync.Mutex
	told  []string
	fails int    // how often telling somebody fails
	tried int    // how often somebody was to be told
	hangs string // id of a person of whom the mail server never answers
	none  string // id of a person whose address does not exist
	// Called while a person is told; nil: nothing happens meanwhile.
	meanwhile func(shifts.News)
}

func newWorld(t *testing.T, db *sqldb.DB) *world {
	t.Helper()
	w := &world{clock: clock.NewManual(start)}
	path := filepath.Join(t.TempDir(), "switchboard.yaml")
	if err := os.WriteFile(path, []byte(file), 0o600); err != nil {
		t.Fatal(err)
	}
	var err error
	if w.file, err = switchboardfile.Open(t.Context(), switchboardfile.SourceConfig{Path: path, Clock: w.clock, Logger: slog.New(slog.DiscardHandler)}); err != nil {
		t.Fatal(err)
	}
	w.Service, err = shifts.New(t.Context(), shifts.Config{File: w.file, DB: db, Clock: w.clock, Logger: slog.New(slog.DiscardHandler),
		Tell: func(ctx context.Context, n shifts.News, to integration.User) error {
			if to.ID == w.hangs {
				<-ctx.Done()
				return ctx.Err()
			}
			if w.meanwhile != nil {
				w.meanwhile(n)
			}
			w.mu.Lock()
			defer w.mu.Unlock()
			w.tried++
			if to.ID == w.none {
				return integration.Errorf(integration.KindInvalid, "no such mailbox")
			}
			if w.fails > 0 {
				w.fails--
				return errors.New("mail server away")
			}
			line := to.Name + " by " + n.By
			if n.What != shifts.Given {
				line += ": " + string(n.What)
			}
			w.told = append(w.told, line)
			return nil
		}})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

var (
	template = filetest.New(shifts.Migrate)
	onServer = postgres.NewTemplate(template.Fill)
)

// openDB opens a file of SQLite, or where LIVECALL_TEST_DATABASE says postgres, a database of a
// server.
func openDB(t *testing.T) *sqldb.DB {
	t.Helper()
	path := filepath.Join(t.TempDir(), "shifts.db")
	if os.Getenv("LIVECALL_TEST_DATABASE") != "postgres" {
		return template.Open(t, path)
	}
	db, err := sqldb.Open(t.Context(), onServer.Of(t, path))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// onCall is who is on call for a layer some hours after the start.
func (w *world) onCall(layer, hours int) string {
	s := &w.file.File().Team("devops").Schedule
	return strings.Join(s.OnCallAt(layer, start.Add(time.Duration(hours)*time.Hour)), ",")
}

// shift is a change of layer 1, in hours from the start.
func shift(user string, from, to int) shifts.Change {
	return shifts.Change{Team: "devops", Layer: 1, User: user, From: start.Add(time.Duration(from) * time.Hour), To: start.Add(time.Duration(to) * time.Hour)}
}

func away(user string, from, to int) shifts.Change {
	c := shift(user, from, to)
	c.Team, c.Layer = "", 0
	return c
}

var (
	alice = shifts.Actor{User: "alice", Name: "Alice Example"}
	bob   = shifts.Actor{User: "bob", Name: "Bob Example"}
	carol = shifts.Actor{User: "carol", Name: "Carol Example"}
	admin = shifts.Actor{Name: "admin", Any: true}
)

// add makes a change that must be allowed.
func (w *world) add(t *testing.T, c shifts.Change, by shifts.Actor) shifts.Change {
	t.Helper()
	c, err := w.Add(t.Context(), c, by)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestShiftsAreTakenGivenAndLeft holds that a change counts at once, until it is removed.
func TestShiftsAreTakenGivenAndLeft(t *testing.T) {
	t.Parallel()
	w := newWorld(t, openDB(t))
	taken := w.add(t, shift("bob", 1, 3), bob)
	w.add(t, shift("bob", 4, 6), alice)
	absence := w.add(t, away("carol", 2, 5), carol)
	for hours, want := range map[int][2]string{0: {"alice", "carol"}, 1: {"bob", "carol"}, 2: {"bob", ""}, 3: {"alice", ""}, 4: {"bob", ""}, 5: {"bob", "carol"}, 6: {"alice", "carol"}} {
		if got := [2]string{w.onCall(1, hours), w.onCall(2, hours)}; got != want {
			t.Errorf("after %d hours %q, want %q", hours, got, want)
		}
	}
	if _, err := w.Remove(t.Context(), taken.ID, bob); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Remove(t.Context(), absence.ID, carol); err != nil {
		t.Fatal(err)
	}
	if got := w.onCall(1, 1) + " " + w.onCall(2, 2); got != "alice carol" {
		t.Errorf("after the removal %s are on call", got)
	}
	if _, err := w.Remove(t.Context(), taken.ID, bob); integration.KindOf(err) != integration.KindNotFound {
		t.Errorf("removed twice: %v", err)
	}
	w.write(t, strings.ReplaceAll(file, "name: DevOps", "name: Ops"))
	if got := w.onCall(1, 4); got != "bob" || w.file.File().Team("devops").Name != "Ops" {
		t.Errorf("after the file changed %s is on call, want bob still", got)
	}
}

// Of two shifts that overlap the one that was made last counts, and the other one around it, and
// again when the last one is taken back.
func TestOfTwoShiftsThatOverlapTheLastOneCounts(t *testing.T) {
	t.Parallel()
	w := newWorld(t, openDB(t))
	w.add(t, shift("bob", 1, 6), bob)
	last := w.add(t, shift("carol", 2, 4), carol)
	for hours, want := range map[int]string{0: "alice", 1: "bob", 2: "carol", 3: "carol", 4: "bob", 6: "alice"} {
		if got := w.onCall(1, hours); got != want {
			t.Errorf("after %d hours %s is on call, want %s", hours, got, want)
		}
	}
	if _, err := w.Remove(t.Context(), last.ID, carol); err != nil {
		t.Fatal(err)
	}
	if got := w.onCall(1, 3); got != "bob" {
		t.Errorf("when the last one is taken back %s is on call, want bob", got)
	}
}

// TestAShiftEndsWithItsPerson holds that a layer never stays empty because whoever had its shift
// has left the file.
func TestAShiftEndsWithItsPerson(t *testing.T) {
	t.Parallel()
	w := newWorld(t, openDB(t))
	w.add(t, shift("dora", 1, 3), w.join(t, "dora"))
	if got := w.onCall(1, 2); got != "dora" {
		t.Fatalf("%q is on call, want dora, who took the shift", got)
	}
	w.write(t, file)
	if got := w.onCall(1, 2); got != "alice" {
		t.Errorf("%q is on call after dora left the file, want alice, as the schedule says", got)
	}
	w.add(t, shift("bob", 1, 3), alice) // nobody is left whom she could ask for it
}

// write puts another file in force.
func (w *world) write(t *testing.T, text string) {
	t.Helper()
	if err := os.WriteFile(w.file.Status().Path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := w.file.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// join adds a person to the file, who is in no schedule.
func (w *world) join(t *testing.T, id string) shifts.Actor {
	t.Helper()
	w.write(t, strings.Replace(file, "teams:", "  - {id: "+id+", name: Dora Example, phones: [\"+12025550146\"]}\nteams:", 1))
	return shifts.Actor{User: id, Name: "Dora Example"}
}

// TestWhoeverHasAShiftByAChangeMayGiveIt holds that a shift which was given on counts as its new
// person's, whoever had it in between.
func TestWhoeverHasAShiftByAChangeMayGiveIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t, openDB(t))
	w.add(t, shift("bob", 1, 5), bob)     // from Alice, on whose day this is
	w.add(t, shift("alice", 2, 4), carol) // an admin of the team gives it back
	w.add(t, shift("carol", 2, 4), alice) // Bob has no say in those hours any more
	w.add(t, shift("alice", 1, 2), bob)   // Bob has this by a change alone
	for hours, want := range map[int]string{1: "alice", 2: "carol", 4: "bob"} {
		if got := w.onCall(1, hours); got != want {
			t.Errorf("after %d hours %s is on call, want %s", hours, got, want)
		}
	}
	if _, err := w.Add(t.Context(), shift("carol", 3, 6), bob); integration.KindOf(err) != integration.KindUnauthorized {
		t.Errorf("Bob gives hours that Carol or Alice have: %v", err)
	}
}

// TestShiftsOfOthersAreTheirs holds who may change what, and that each refusal says what to do.
func TestShiftsOfOthersAreTheirs(t *testing.T) {
	t.Parallel()
	w := newWorld(t, openDB(t))
	given := w.add(t, shift("bob", 1, 3), alice)
	w.add(t, away("bob", 10, 12), bob)
	for name, test := range map[string]struct {
		c    shifts.Change
		by   shifts.Actor
		kind integration.Kind
		says string
	}{
		"a shift that somebody else was given": {shift("alice", 2, 4), alice, integration.KindConflict, "Bob Example has layer 1 of DevOps from Mon 5 Jan 2026 09:00 UTC"},
		"giving what one does not have":        {shift("alice", 5, 7), bob, integration.KindUnauthorized, "you are not on call for layer 1 of DevOps at Mon 5 Jan 2026 13:00 UTC"},
		"giving more than one has":             {shift("carol", 15, 17), alice, integration.KindUnauthorized, "at Tue 6 Jan 2026 00:00 UTC"},
		"a shift while away":                   {shift("bob", 11, 13), bob, integration.KindConflict, "Bob Example is away from"},
		"somebody else's absence":              {away("alice", 1, 2), bob, integration.KindUnauthorized, "only Alice Example, or an admin"},
		"an unknown person":                    {shift("dave", 1, 2), admin, integration.KindInvalid, `no user "dave"`},
		"an unknown layer":                     {shifts.Change{Team: "devops", Layer: 3, User: "bob", From: start, To: start.Add(time.Hour)}, admin, integration.KindInvalid, "no layer 3: it has 2"},
		"an unknown team":                      {shifts.Change{Team: "ops", Layer: 1, User: "bob", From: start, To: start.Add(time.Hour)}, admin, integration.KindInvalid, `no team "ops"`},
		"the end before the beginning":         {shift("bob", 3, 2), admin, integration.KindInvalid, "is not after the beginning"},
		"the past":                             {shift("bob", -3, -1), admin, integration.KindInvalid, "has passed"},
		"ten years":                            {shift("bob", 1, 90000), admin, integration.KindInvalid, "more than a year"},
		"a layer of an absence":                {shifts.Change{Layer: 1, User: "bob", From: start, To: start.Add(time.Hour)}, admin, integration.KindInvalid, "name a team"},
		"a note of two lines":                  {shifts.Change{User: "bob", From: start, To: start.Add(time.Hour), Note: "a\nb"}, admin, integration.KindInvalid, "in one line"},
	} {
		if _, err := w.Add(t.Context(), test.c, test.by); integration.KindOf(err) != test.kind || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: %v, want %s with %q", name, err, test.kind, test.says)
		}
	}
	if _, err := w.Remove(t.Context(), given.ID, shifts.Actor{User: "dave", Name: "Dave"}); integration.KindOf(err) != integration.KindUnauthorized {
		t.Errorf("a stranger removed a shift: %v", err)
	}
	if _, err := w.Remove(t.Context(), given.ID, shifts.Actor{User: "dave", Name: alice.Name}); integration.KindOf(err) != integration.KindUnauthorized {
		t.Errorf("somebody of the same name removed what Alice made: %v", err)
	}
	w.add(t, shift("alice", 2, 4), carol) // an admin of the team
	if got := w.onCall(1, 2); got != "alice" {
		t.Errorf("%s is on call, want alice, whom the team's admin chose last", got)
	}
	if _, err := w.Remove(t.Context(), given.ID, shifts.Actor{User: alice.User, Name: "Alice Married"}); err != nil {
		t.Errorf("who gave a shift cannot take it back, under a new name: %v", err)
	}
}

// TestChangesOfAnotherHostCount holds that a change which one host made is in force on another one
// that shares the database, and after a restart.
func TestChangesOfAnotherHostCount(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	one, two := newWorld(t, db), newWorld(t, db)
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { _ = two.Run(ctx) })
	defer running.Wait()
	defer cancel()
	one.add(t, shift("bob", 1, 3), bob)
	two.Look()
	for two.onCall(1, 1) != "bob" { // ends with the test's deadline
		time.Sleep(time.Millisecond)
	}
	if three := newWorld(t, db); three.onCall(1, 1) != "bob" {
		t.Error("a host that starts does not know the change")
	}
}

// TestChangesAtTheSameTimeAllCount holds that of changes by several hosts at once none is lost, and
// that only one of two takes a shift.
func TestChangesAtTheSameTimeAllCount(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	worlds := []*world{newWorld(t, db), newWorld(t, db)}
	var adding sync.WaitGroup
	var taken [2]error
	for i, w := range worlds {
		adding.Go(func() {
			for hour := range 8 {
				if _, err := w.Add(context.Background(), away("carol", 20+10*hour+5*i, 22+10*hour+5*i), admin); err != nil {
					t.Error(err)
				}
			}
			_, taken[i] = w.Add(context.Background(), shift([]string{"alice", "bob"}[i], 1, 3), []shifts.Actor{alice, bob}[i])
		})
	}
	adding.Wait()
	all, err := worlds[0].List(t.Context(), start)
	if err != nil || len(all) != 17 || (taken[0] == nil) == (taken[1] == nil) {
		t.Errorf("%d changes (%v), want 16 absences and one shift; the two who took it got %v", len(all), err, taken)
	}
}

// TestWhoIsGivenAShiftIsTold holds that the person is told once, also where it fails at first, and
// that nobody is told of what they do themselves.
func TestWhoIsGivenAShiftIsTold(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	w := newWorld(t, db)
	w.fails = 2
	w.add(t, shift("bob", 1, 15), alice)
	w.add(t, shift("bob", 31, 33), bob)
	w.add(t, away("alice", 40, 41), admin)
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	other := newWorld(t, db)
	running.Go(func() { _ = w.Run(ctx) })
	running.Go(func() { _ = other.Run(ctx) })
	told := func() []string {
		var all []string
		for _, one := range []*world{w, other} {
			one.mu.Lock()
			all = append(all, one.told...)
			one.mu.Unlock()
		}
		return all
	}
	for range 100 {
		for w.clock.Waiting() == 0 || other.clock.Waiting() == 0 {
			time.Sleep(time.Millisecond)
		}
		w.clock.Advance(5 * time.Second)
		other.clock.Advance(5 * time.Second)
	}
	cancel()
	running.Wait()
	got := told()
	if slices.Sort(got); !slices.Equal(got, []string{"Alice Example by admin: away", "Bob Example by Alice Example"}) {
		t.Errorf("told: %q, want Bob of the shift that Alice gave and Alice of the absence that an admin entered, each once", got)
	}
}

// TestEachChangeIsToldByOneHost has two hosts begin at the same moment with much to tell.
func TestEachChangeIsToldByOneHost(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	w, other := newWorld(t, db), newWorld(t, db)
	const each = 14
	for i := range each {
		w.add(t, shift("bob", 1+i, 2+i), alice)
		w.add(t, away("alice", 40+2*i, 41+2*i), admin)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	for _, one := range []*world{w, other} {
		running.Go(func() { _ = one.Run(ctx) })
	}
	toldAll(t, db)
	cancel()
	running.Wait()
	got := map[string]int{}
	for _, line := range append(w.told, other.told...) {
		got[line]++
	}
	want := map[string]int{"Bob Example by Alice Example": each, "Alice Example by admin: away": each}
	if !maps.Equal(got, want) {
		t.Errorf("told: %v, want %v", got, want)
	}
}

// TestWhatChangesWhileAPersonIsToldIsToldAsWell: what is news then has the key of what it replaces.
func TestWhatChangesWhileAPersonIsToldIsToldAsWell(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	w := newWorld(t, db)
	c := w.add(t, shift("bob", 1, 3), bob)
	w.meanwhile = func(n shifts.News) {
		if n.What == shifts.Taken {
			if _, err := w.Remove(t.Context(), c.ID, bob); err != nil {
				t.Error(err)
			}
		}
	}
	want := []string{"Alice Example by Bob Example: again", "Alice Example by Bob Example: taken"}
	if got := w.news(t, db); !slices.Equal(got, want) {
		t.Errorf("told %q, want %q", got, want)
	}
}

// TestWhoeverATakenBackShiftConcernsIsTold holds that who had the shift is told, and who is on call
// again, but for who takes it back; of what is over, and of what changes nothing, nobody is.
func TestWhoeverATakenBackShiftConcernsIsTold(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		c    shifts.Change
		made shifts.Actor
		by   shifts.Actor
		late time.Duration
		over shifts.Change // made afterwards
		want []string
	}{
		"by who gave it":       {c: shift("bob", 1, 3), made: alice, by: alice, want: []string{"Bob Example by Alice Example: taken back"}},
		"by who had it":        {c: shift("bob", 1, 3), made: alice, by: bob, want: []string{"Alice Example by Bob Example: again"}},
		"by who took it":       {c: shift("bob", 1, 3), made: bob, by: bob, want: []string{"Alice Example by Bob Example: again"}},
		"by an admin":          {c: shift("carol", 1, 20), made: carol, by: admin, want: []string{"Alice Example by admin: again", "Bob Example by admin: again", "Carol Example by admin: taken back"}},
		"when it is over":      {c: shift("bob", 1, 3), made: bob, by: admin, late: 4 * time.Hour},
		"in the middle":        {c: shift("carol", 1, 20), made: carol, by: carol, late: 17 * time.Hour, want: []string{"Bob Example by Carol Example: again"}},
		"an absence":           {c: away("bob", 1, 3), made: bob, by: admin, want: []string{"Bob Example by admin: taken back"}},
		"one's own absence":    {c: away("bob", 1, 3), made: bob, by: bob},
		"below another change": {c: shift("carol", 1, 3), made: carol, by: carol, over: shift("bob", 1, 3), want: []string{"Carol Example by Bob Example: taken"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := openDB(t)
			w := newWorld(t, db)
			c := w.add(t, test.c, test.made)
			if test.over.User != "" {
				w.add(t, test.over, shifts.Actor{User: test.over.User, Name: "Bob Example", Any: true})
			}
			w.clock.Advance(test.late)
			if _, err := w.Remove(t.Context(), c.ID, test.by); err != nil {
				t.Fatal(err)
			}
			if got := w.news(t, db); !slices.Equal(got, test.want) {
				t.Errorf("told %q, want %q", got, test.want)
			}
		})
	}
}

// news runs the service until everybody was told, and says who was told what.
func (w *world) news(t *testing.T, db *sqldb.DB) []string {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { _ = w.Run(ctx) })
	defer running.Wait()
	defer cancel()
	toldAll(t, db)
	w.mu.Lock()
	defer w.mu.Unlock()
	slices.Sort(w.told)
	return slices.Clone(w.told)
}

// toldAll waits until nobody waits to be told.
func toldAll(t *testing.T, db *sqldb.DB) {
	t.Helper()
	const waiting = "select (select count(*) from embedded_shift_news) + (select count(*) from embedded_shifts where tell is not null)"
	for left := 1; left > 0; time.Sleep(time.Millisecond) { // ends with the test's deadline
		if err := db.Read().QueryRowContext(t.Context(), waiting).Scan(&left); err != nil {
			t.Fatal(err)
		}
	}
}

// TestWhoeverLosesAShiftIsTold holds that whoever is not on call any more because of a change that
// somebody else makes is told, as is whoever counts as away because somebody else says so.
func TestWhoeverLosesAShiftIsTold(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		c, before shifts.Change // before: made by an admin, and taken note of
		by        shifts.Actor
		want      []string
	}{
		"an admin gives it to somebody": {c: shift("bob", 1, 3), by: admin, want: []string{"Alice Example by admin: lost", "Bob Example by admin"}},
		"somebody takes it":             {c: shift("bob", 1, 3), by: bob, want: []string{"Alice Example by Bob Example: taken"}},
		"who has it gives it":           {c: shift("bob", 1, 3), by: alice, want: []string{"Bob Example by Alice Example"}},
		"the shifts of two":             {c: shift("carol", 1, 20), by: carol, want: []string{"Alice Example by Carol Example: taken", "Bob Example by Carol Example: taken"}},
		"what begins in the past":       {c: shift("bob", -24, 1), by: admin, want: []string{"Alice Example by admin: lost", "Bob Example by admin"}},
		"what was given before":         {before: shift("bob", 1, 3), c: shift("carol", 2, 4), by: carol, want: []string{"Alice Example by Carol Example: taken", "Bob Example by Carol Example: taken"}},
		"one's own, once more":          {c: shift("alice", 1, 3), by: admin, want: []string{"Alice Example by admin"}},
		"an absence":                    {c: away("bob", 1, 3), by: admin, want: []string{"Bob Example by admin: away"}},
		"one's own absence":             {c: away("bob", 1, 3), by: bob},
		"whoever is away":               {before: away("alice", 0, 10), c: shift("bob", 1, 3), by: admin, want: []string{"Bob Example by admin"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := openDB(t)
			w := newWorld(t, db)
			if test.before.User != "" {
				w.add(t, test.before, admin)
				w.news(t, db)
				w.mu.Lock()
				w.told = nil
				w.mu.Unlock()
			}
			w.add(t, test.c, test.by)
			if got := w.news(t, db); !slices.Equal(got, test.want) {
				t.Errorf("told %q, want %q", got, test.want)
			}
		})
	}
}

// TestWhatIsNoLongerSoIsNotTold holds that a person whom nobody could tell of a lost shift is told
// what is so once it was taken back, and that alone.
func TestWhatIsNoLongerSoIsNotTold(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	w := newWorld(t, db)
	c := w.add(t, shift("bob", 1, 3), admin)
	if _, err := w.Remove(t.Context(), c.ID, admin); err != nil {
		t.Fatal(err)
	}
	want := []string{"Alice Example by admin: again", "Bob Example by admin: taken back"}
	if got := w.news(t, db); !slices.Equal(got, want) {
		t.Errorf("told %q, want %q", got, want)
	}
}

// TestAMailServerThatHangsHoldsUpNoShift holds that while a person cannot be told, others are, and
// what other hosts change is in force.
func TestAMailServerThatHangsHoldsUpNoShift(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	one, two := newWorld(t, db), newWorld(t, db)
	two.hangs = "bob"
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	defer running.Wait()
	defer cancel()
	one.add(t, shift("bob", 1, 3), alice)
	one.add(t, shift("carol", 4, 6), alice)
	running.Go(func() { _ = two.Run(ctx) })
	for told := 0; told == 0; time.Sleep(time.Millisecond) { // ends with the test's deadline
		two.mu.Lock()
		told = len(two.told)
		two.mu.Unlock()
	}
	one.add(t, shift("alice", 30, 32), admin)
	two.Look()
	for two.onCall(1, 30) != "alice" {
		time.Sleep(time.Millisecond)
	}
}

// TestWhoCannotBeToldIsTriedLessAndLess holds that a mail server that takes no mail for hours is
// asked ever more seldom, and that the person is told once it does.
func TestWhoCannotBeToldIsTriedLessAndLess(t *testing.T) {
	t.Parallel()
	w := newWorld(t, openDB(t))
	w.fails = 1000
	w.add(t, shift("bob", 1, 15), alice)
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { _ = w.Run(ctx) })
	defer running.Wait()
	defer cancel()
	pass := func(minutes int) int {
		for range minutes {
			for w.clock.Waiting() < 2 { // both loops
				time.Sleep(100 * time.Microsecond)
			}
			w.clock.Advance(time.Minute)
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		return w.tried
	}
	if n := pass(10); n < 3 {
		t.Errorf("%d attempts in ten minutes", n)
	}
	if n := pass(600); n < 12 || n > 30 {
		t.Errorf("%d attempts in ten hours", n)
	}
	w.mu.Lock()
	w.fails = 0
	w.mu.Unlock()
	pass(70)
	w.mu.Lock()
	defer w.mu.Unlock()
	if !slices.Equal(w.told, []string{"Bob Example by Alice Example"}) {
		t.Errorf("told afterwards: %q", w.told)
	}
}

// TestAnAddressThatDoesNotExistIsTriedOnce holds that news that is refused for good is given up,
// and that the others are told.
func TestAnAddressThatDoesNotExistIsTriedOnce(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	w := newWorld(t, db)
	w.none = "bob"
	w.add(t, shift("bob", 1, 3), admin)
	if got := w.news(t, db); !slices.Equal(got, []string{"Alice Example by admin: lost"}) || w.tried != 2 {
		t.Errorf("told %q in %d attempts, want Alice in two", got, w.tried)
	}
}

// TestOldChangesAreForgotten holds that a change is gone some weeks after its end.
func TestOldChangesAreForgotten(t *testing.T) {
	t.Parallel()
	w := newWorld(t, openDB(t))
	w.add(t, shift("bob", 1, 3), bob)
	w.clock.Advance(shifts.Forgotten + 4*time.Hour)
	w.add(t, shift("bob", 24*50, 24*51), bob)
	if all, err := w.List(t.Context(), time.Time{}); err != nil || len(all) != 1 {
		t.Errorf("%d changes are kept (%v), want the new one alone", len(all), err)
	}
}
