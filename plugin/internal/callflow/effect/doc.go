// Package effect is what a step wants done besides its answer, as values: tasks, timers, mails,
// findings, and questions to the host. The joining package performs them after the state is stored,
// so that a step can be decided again after a conflict without anybody being called twice.
package effect
