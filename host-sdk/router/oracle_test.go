package router

import (
	"encoding/json"
	"os"
	"testing"
	"time"
)

// The files of testdata, here and in the packages below, hold what other implementations answer;
// testdata/make.mjs makes them.

func readTestdata(t *testing.T, name string, into any) {
	t.Helper()
	data, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, into); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}

func TestAgreesWithSift(t *testing.T) {
	t.Parallel()
	var cases []struct {
		Query json.RawMessage
		Facts json.RawMessage
		Want  any
	}
	readTestdata(t, "sift.json", &cases)
	failed := 0
	for _, c := range cases {
		rules := `[{"match":` + string(c.Query) + `,"actions":[{"type":"assign","receiver":"a"}]}]`
		router, problems := Parse([]byte(rules), nil)
		var got any = "error"
		if router != nil {
			v, err := router.Evaluate(c.Facts, time.Unix(0, 0))
			if err != nil || len(v.Notes) > 0 {
				t.Fatalf("%s on %s: %v %v", c.Query, c.Facts, err, v.Notes)
			}
			got = v.Rule == 1
		}
		if got != c.Want {
			t.Errorf("%s on %s: got %v, sift says %v (%v)", c.Query, c.Facts, got, c.Want, problems)
			if failed++; failed > 20 {
				t.FailNow()
			}
		}
	}
}
