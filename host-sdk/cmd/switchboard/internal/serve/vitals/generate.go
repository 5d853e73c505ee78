package vitals

// The table of metrics in docs/monitoring.md comes from their descriptions.
//
//go:generate go test -count=1 -run ^TestEveryMetricIsDocumented$ . -update
