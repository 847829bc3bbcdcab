package door

import (
	"github.com/doorward/doorward/internal/base/fault"
	"github.com/doorward/doorward/internal/core/check"
)

// Checks that every request passes before there is anything to judge.
var (
	Host = check.New(check.Check{Number: 101, ID: "request.host", Fault: fault.Misdirected, Shown: "request.host",
		Says: "The request is for this server's one address.", Source: "RFC 9110 section 7.4",
		Title: "This server answers at another address.", Stops: []string{"REC-03"}})
	Path = check.New(check.Check{Number: 102, ID: "request.path", Fault: fault.Missing, Shown: "request.path",
		Says: "There is something at this address.", Source: "RFC 9110 section 15.5.5",
		Title: "There is nothing here."})
	Method = check.New(check.Check{Number: 103, ID: "request.method", Fault: fault.Method, Shown: "request.method",
		Says: "The address knows the method.", Source: "ASVS 4.1.4",
		Title: "This address does not do that."})
	Media = check.New(check.Check{Number: 104, ID: "request.media", Fault: fault.Unsupported, Shown: "request.media",
		Says: "The body is of the one type that this address reads, and not encoded.", Source: "RFC 9110 section 15.5.16",
		Title: "The body is of another type than this address reads.", Stops: []string{"SES-15", "JWT-08"}})
	Size = check.New(check.Check{Number: 105, ID: "request.size", Fault: fault.TooLarge, Shown: "request.size",
		Says: "Address, headers and body are within their bounds.", Source: "ASVS 4.2.5",
		Title: "The request is too large.", Stops: []string{"DOS-04"}})
	Body = check.New(check.Check{Number: 106, ID: "request.body", Fault: fault.Malformed, Shown: "request.body",
		Says: "The body can be read in one way only, and has no members that mean nothing here.", Source: "RFC 8259 section 4; ASVS 1.5.3",
		Title: "The body cannot be read.", Stops: []string{"REC-01", "DOS-04"}})
	Query = check.New(check.Check{Number: 107, ID: "request.query", Fault: fault.Malformed, Shown: "request.query",
		Says: "Each parameter is sent once, in UTF-8.", Source: "RFC 6749 section 3.1",
		Title: "The address has parameters that cannot be read.", Stops: []string{"OAU-06"}})
	Site = check.New(check.Check{Number: 109, ID: "request.site", Fault: fault.Denied, Shown: "request.site",
		Says: "The page that asks is ours or a first-party application's.", Source: "ASVS 3.5.1 to 3.5.3",
		Title: "This page may not ask for that.", Stops: []string{"SES-15"}})
	Authorization = check.New(check.Check{Number: 110, ID: "request.authorization", Fault: fault.Malformed, Shown: "request.authorization",
		Says: "There is at most one Authorization header, of a kind this address reads.", Source: "RFC 6750 section 3.1",
		Title: "The Authorization header cannot be read."})
)

// Parameter is why a request of the protocol cannot be read, when its encoding
// can.
var Parameter = check.NewWord(329, "a parameter is missing, comes twice or is no text")
