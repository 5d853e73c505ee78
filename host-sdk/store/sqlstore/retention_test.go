package sqlstore_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
	"github.com/livecallrouting/livecall/host-sdk/store/sqlstore"
)

// Two hosts come to the same records at the same time: each record is one host's, its recording is
// deleted once, and the telephone service is asked once.
func TestTwoHostsDeleteEachOldRecordOnce(t *testing.T) {
	t.Parallel()
	url := onServer.Database(t)
	hosts := make([]*sqlstore.Store, 2)
	for i := range hosts {
		var err error
		if hosts[i], err = tryURL(url, secretKey); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = hosts[i].Close() })
	}
	const records = 60
	ended := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	if _, err := hosts[0].SaveIntegration(t.Context(), store.Integration{ID: "int_1", Plugin: "livecall", Name: "Hotline"}); err != nil {
		t.Fatal(err)
	}
	for i := range records {
		key := fmt.Sprint("CA", i)
		m, err := hosts[0].PutMedium(t.Context(), store.Medium{MediaRef: integration.MediaRef{Name: "a.mp3", ContentType: "audio/mpeg"}, Data: []byte(key)})
		if err != nil {
			t.Fatal(err)
		}
		_, err = hosts[0].Commit(t.Context(), store.Commit{Integration: "int_1", Key: key, Now: ended, Call: &store.CallUpdate{
			New: true, View: &integration.CallView{From: "x", EndedAt: ended},
			Recordings: []store.Recording{{Media: m.MediaRef, At: ended}}}})
		if err == nil {
			err = hosts[0].MarkHeard(t.Context(), "int_1", key, m.Ref, store.Heard{By: "alice", At: ended})
		}
		if err != nil {
			t.Fatal(err)
		}
	}

	now := ended.Add(time.Hour)
	var mu sync.Mutex
	looked, deleted, asked := map[string]int{}, 0, map[string]int{}
	var all sync.WaitGroup
	for i, s := range hosts {
		all.Go(func() {
			for {
				page, err := s.LookAtOld(t.Context(), store.OldCalls{Ended: ended, Recordings: true, Now: now, Until: now.Add(time.Hour), Limit: 7})
				if err != nil {
					t.Error(err)
				}
				if len(page) == 0 {
					break
				}
				var calls []store.CallRef
				mu.Lock()
				for _, c := range page {
					looked[c.Key]++
					calls = append(calls, store.CallRef{Integration: c.Integration, Key: c.Key})
				}
				mu.Unlock()
				n, err := s.ExpireRecordings(t.Context(), calls, ended, store.Deletion{At: now, Cause: store.CauseRetention}, store.StoryLine{At: now, Text: "deleted"})
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				deleted += n
				mu.Unlock()
			}
			for {
				page, err := s.ClaimErasures(t.Context(), fmt.Sprint("host ", i), now, time.Minute, 7)
				if err != nil {
					t.Error(err)
				}
				if len(page) == 0 {
					return
				}
				for _, e := range page {
					mu.Lock()
					asked[e.Key]++
					mu.Unlock()
					if err := s.FinishErasure(t.Context(), e, store.StoryLine{At: now, Text: "deleted there"}); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	all.Wait()
	// A host passes over what the other is looking at, and may be through before it.
	left, err := hosts[0].LookAtOld(t.Context(), store.OldCalls{Ended: ended, Recordings: true, Now: now, Until: now.Add(time.Hour), Limit: 7})
	if err != nil || len(left) > 0 {
		t.Errorf("records were left: %d, %v", len(left), err)
	}
	if len(looked) != records || deleted != records || len(asked) != records {
		t.Errorf("%d records were looked at, %d recordings deleted, %d asked for elsewhere; want %d of each", len(looked), deleted, len(asked), records)
	}
	for key, n := range looked {
		if n > 1 || asked[key] > 1 {
			t.Errorf("%s was looked at %d times and asked for %d times", key, n, asked[key])
		}
		c, err := hosts[0].Call(t.Context(), "int_1", key)
		if err != nil {
			t.Fatal(err)
		}
		var story []string
		for _, l := range c.Story {
			story = append(story, l.Text)
		}
		if got := strings.Join(story, ", "); got != "deleted, deleted there" {
			t.Errorf("the story of %s: %s", key, got)
		}
	}
}
