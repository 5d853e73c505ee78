// Package vitals is how a host is, in three forms: the checks of /readyz, the metrics, and the
// status for people.
//
//	host.go     the parts that are looked at
//	checks.go   what /readyz looks at
//	metrics.go  /metrics
//	gaps.go     times in which nobody is on call, for /metrics
//	status.go   the host at a glance, and what to do about its checks
package vitals
