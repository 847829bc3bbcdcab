// Package fault names the kinds of refusal that the outside may learn, and
// nothing more. Each surface maps a kind to its own answer in one table.
package fault

// A Kind is what a refused caller may know about why.
type Kind uint8

const (
	// Internal tells nothing: something failed here. It is the zero value, so
	// a refusal that forgot to say what it is says nothing.
	Internal Kind = iota
	// Malformed is a request that cannot be read: syntax, duplicates, encoding.
	Malformed
	// TooLarge is a request over a size bound.
	TooLarge
	// Unsupported is a body of another media type than the one asked for.
	Unsupported
	// Method is a method that this resource does not have.
	Method
	// Unacceptable is a request that was read well and cannot be done as it stands.
	Unacceptable
	// Unauthenticated is a caller who has not proved who they are.
	Unauthenticated
	// Stale is a caller who is known but must prove it afresh (RFC 9470).
	Stale
	// Client is an application that has not proved which one it is.
	Client
	// Grant is a grant that buys nothing: used, ended, or another's (RFC 6749 section 5.2).
	Grant
	// Scope is a token that does not reach this far (RFC 6750 section 3.1).
	Scope
	// Denied is a known caller who may not do this.
	Denied
	// Missing is a thing that is not there, or that this caller may not know of.
	Missing
	// Conflict is a change that meets one already made.
	Conflict
	// Misdirected is a request for another host than ours (RFC 9110 section 15.5.20).
	Misdirected
	// Slow is a caller over a budget: later, yes.
	Slow
	// Proof is a request whose proof of possession is missing or does not hold (RFC 9449 section 5).
	Proof
	// Nonce is a proof of possession that must carry a nonce of the server's (RFC 9449 section 8).
	Nonce
	// Busy is a server that has no room or no store just now: later, yes.
	Busy
)
