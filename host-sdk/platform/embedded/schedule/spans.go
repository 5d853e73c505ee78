package schedule

import (
	"slices"
	"sort"
	"time"
)

// span is a time in which one override decides who is on call.
type span struct {
	from, to time.Time
	users    []string
}

// spansOf lists when which override decides, in order. Of several at the same time the later in the
// file counts. Each piece between two edges is given away once, from the last override to the
// first, so the work grows with their number, not with how they overlap.
func spansOf(overrides []override) []span {
	edges := make([]time.Time, 0, 2*len(overrides))
	for _, o := range overrides {
		edges = append(edges, o.from, o.to)
	}
	slices.SortFunc(edges, time.Time.Compare)
	edges = slices.CompactFunc(edges, time.Time.Equal)
	// A file may hold thousands of overrides, and people may add thousands of changes.
	decides := make([]*override, len(edges)) // from an edge to the next
	// For each piece a later one that may be free; its own number means that it is.
	free := make([]int, len(edges))
	for i := range free {
		free[i] = i
	}
	for i := len(overrides) - 1; i >= 0; i-- {
		o := &overrides[i]
		end := edgeAt(edges, o.to)
		for piece := nextFree(free, edgeAt(edges, o.from)); piece < end; piece = nextFree(free, piece) {
			decides[piece], free[piece] = o, piece+1
		}
	}
	var out []span
	for i, o := range decides {
		if o == nil {
			continue
		}
		if i > 0 && decides[i-1] == o {
			out[len(out)-1].to = edges[i+1]
			continue
		}
		out = append(out, span{edges[i], edges[i+1], o.users})
	}
	return out
}

// edgeAt is the number of an edge.
func edgeAt(edges []time.Time, at time.Time) int {
	i, _ := slices.BinarySearchFunc(edges, at, time.Time.Compare)
	return i
}

// nextFree follows the chain to a piece that is free and shortens the chain for the next search. It
// is a union-find with path halving; the last piece is always free and ends each chain.
func nextFree(free []int, piece int) int {
	for free[piece] != piece {
		free[piece] = free[free[piece]]
		piece = free[piece]
	}
	return piece
}

// spanAfter is the number of the first span that ends after t.
func (l *layer) spanAfter(t time.Time) int { return spanAfter(l.replaced, t) }

// spanAfter is the number of the first of some spans, which are in order, that ends after t.
func spanAfter(spans []span, t time.Time) int {
	return sort.Search(len(spans), func(i int) bool { return spans[i].to.After(t) })
}

// awayByUser lists when each user is away, in order, joined where absences touch or overlap.
// Absences that end before they begin are left out.
func awayByUser(absences []Absence) map[string][]span {
	out := map[string][]span{}
	for _, a := range slices.SortedStableFunc(slices.Values(absences), func(a, b Absence) int { return a.From.Compare(b.From) }) {
		if !a.From.Before(a.To) {
			continue
		}
		spans := out[a.User]
		if n := len(spans); n > 0 && !a.From.After(spans[n-1].to) {
			if a.To.After(spans[n-1].to) {
				spans[n-1].to = a.To
			}
			continue
		}
		out[a.User] = append(spans, span{from: a.From, to: a.To})
	}
	return out
}
