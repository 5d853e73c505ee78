package records

import "github.com/livecallrouting/livecall/host-sdk/store"

// SearchBatch is how many calls a search reads at a time.
const SearchBatch = searchBatch

// CountQuery is the query of statistics.
func CountQuery(f store.CountFilter) (string, []any) { return countQuery(f) }
