// Package job holds work that is too long for one unit: a row says what was
// asked, how far it has come, and who works on it. Any node can go on with it.
package job

import (
	"time"

	"github.com/doorward/doorward/internal/base/fault"
	"github.com/doorward/doorward/internal/base/id"
	"github.com/doorward/doorward/internal/core/check"
)

type kind struct{}

func (kind) Prefix() string { return "job" }

// ID names a job.
type ID = id.ID[kind]

// ParseID reads the outside form.
func ParseID(s string) (ID, error) { return id.Parse[kind](s) }

// NewID makes one.
func NewID(now time.Time, random [16]byte) ID { return id.New[kind](now, random) }

// A State is where a job is in its life.
type State uint8

// The states of a job.
const (
	Running State = iota + 1
	Stopped       // by an operator; it can be resumed
	Done
)

// String is the state's word.
func (s State) String() string {
	if s > Done {
		return "unknown"
	}
	return [...]string{"unknown", "running", "stopped", "done"}[s]
}

// A Job is long work, in one row. Its cursor is the last thing that was looked
// at: the unit that works on what follows moves it, so that whatever happens to
// whoever works, nothing is done twice and nothing is left out.
type Job struct {
	ID      ID
	Kind    string    // SessionsEnd
	Query   string    // what to work on, in the one spelling of the query
	Actor   string    // who asked
	Asked   time.Time // what began later is not touched
	Matched int       // how much there was to do when it was asked; 0: not counted
	Cursor  [16]byte
	Seen    int // things looked at
	Did     int // things done
	State   State
	Changed time.Time
	Node    [16]byte  // who works on it
	Lease   time.Time // until when nobody else need look
}

// SessionsEnd is the kind of job that ends the sessions of a query.
const SessionsEnd = "sessions.end"

// Exists says whether the row was found.
func (j Job) Exists() bool { return !j.ID.IsZero() }

// Free says whether a node may work on the job: nobody else is on it, or has
// been heard of lately. It spares double work; what holds is the cursor.
func (j Job) Free(node [16]byte, now time.Time) bool {
	return j.State == Running && (j.Node == node || !now.Before(j.Lease))
}

// LeaseFor is how long a node that is not heard of keeps its job.
const LeaseFor = 10 * time.Second

// Ask adds a job.
type Ask struct {
	ID      ID
	Kind    string
	Query   string
	Actor   string
	Asked   time.Time
	Matched int
	Cursor  [16]byte
	Did     int
	State   State
	Node    [16]byte
	Lease   time.Time
}

// Step moves a running job's cursor from where it was judged to be.
type Step struct {
	ID    ID
	From  [16]byte
	To    [16]byte
	Seen  int
	Did   int
	State State
	Node  [16]byte
	Lease time.Time
	At    time.Time
}

// Turn stops or resumes a job.
type Turn struct {
	ID   ID
	From State
	To   State
	At   time.Time
}

// Forget removes what was done before an instant. What is stopped stays: it can
// be resumed.
type Forget struct{ Before time.Time }

// KeptFor is how long what is done can be read.
const KeptFor = 90 * 24 * time.Hour

func (Forget) Changes() string { return "jobs" }
func (Ask) Changes() string    { return "jobs" }
func (Step) Changes() string   { return "jobs" }
func (Turn) Changes() string   { return "jobs" }

// Reader is what is read of jobs.
type Reader interface {
	Job(ID) Job
	// Jobs lists the newest first.
	Jobs(limit int) []Job
	// JobsIn lists those in a state, the oldest first.
	JobsIn(s State, limit int) []Job
}

// Checks of this noun.
var (
	Found = check.New(check.Check{Number: 532, ID: "job.found", Fault: fault.Missing, Shown: "job.found",
		Says: "There is such a job.", Source: "RFC 9110 section 15.5.5", Title: "There is no such job."})
	Turnable = check.New(check.Check{Number: 533, ID: "job.turnable", Fault: fault.Conflict, Shown: "job.turnable",
		Says: "The job is in a state that can be left: running to stop it, stopped to resume it.", Source: "RFC 9110 section 15.5.10",
		Title: "The job is not in a state for that."})
	Going = check.New(check.Check{Number: 534, ID: "job.running", Fault: fault.Conflict, Shown: "job.running",
		Says: "The job is running: nobody has stopped it and it is not done.", Source: "RFC 9110 section 15.5.10",
		Title: "The job is not running."})
)
