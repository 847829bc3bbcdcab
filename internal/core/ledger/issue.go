package ledger

import "time"

// An Issue counts what one application was given in one minute from one
// network, where nothing else changed: every check of the exchange held each
// time, so that the cases are identical. It is opened before the first token
// leaves, and a token is found in it by its client and the instant in its jti.
type Issue struct {
	Client   string
	Minute   time.Time
	Exchange uint16
	Network  string
	Checks   []string // by id, in the order in which they ran
	Count    int
}

// Unissue removes counts of minutes before an instant, some at a time.
type Unissue struct{ Before time.Time }

func (Issue) Changes() string   { return "ledger_issues" }
func (Unissue) Changes() string { return "ledger_issues" }
