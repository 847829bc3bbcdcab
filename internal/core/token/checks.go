package token

import (
	"github.com/doorward/doorward/internal/base/fault"
	"github.com/doorward/doorward/internal/core/check"
)

const signedOut = "You were signed out. Sign in again."

// Checks of refresh families, in the order of judgement.
var (
	RefreshForm = check.New(check.Check{Number: 501, ID: "refresh.form", Fault: fault.Unauthenticated, Shown: "refresh.form", Code: "invalid_grant",
		Says: "A refresh token was sent, once and in its one spelling.", Source: "RFC 6749 section 6",
		Title: "You are not signed in.", Stops: []string{"SES-05", "SES-08", "OAU-16"}})
	RefreshAuthentic = check.New(check.Check{Number: 502, ID: "refresh.authentic", Fault: fault.Unauthenticated, Shown: "refresh.authentic", Code: "invalid_grant",
		Says: "This server made the refresh token, and its secret fits the family.", Source: "RFC 9700 section 4.14.2",
		Title: signedOut, Stops: []string{"SES-08"}})
	RefreshPresent = check.New(check.Check{Number: 503, ID: "refresh.present", Fault: fault.Unauthenticated, Shown: "refresh.present", Code: "invalid_grant",
		Says: "The refresh token is not newer than the database.", Source: "a restored database makes tokens from its own future",
		Title: signedOut})
	RefreshAlive = check.New(check.Check{Number: 504, ID: "refresh.alive", Fault: fault.Unauthenticated, Shown: "refresh.alive", Code: "invalid_grant",
		Says: "The family still stands, and so do its session, person and application.", Source: "RFC 9700 section 4.14.2; ASVS 7.4.1",
		Title: signedOut, Stops: []string{"OAU-12", "SES-11", "REC-15"}})
	RefreshInTime = check.New(check.Check{Number: 505, ID: "refresh.in_time", Fault: fault.Unauthenticated, Shown: "refresh.in_time", Code: "invalid_grant",
		Says: "The family was used recently enough and is not too old.", Source: "RFC 9700 section 4.14.2; ASVS 10.4.8",
		Title: "Your sign-in ended because it was unused or old. Sign in again."})
	RefreshUnspent = check.New(check.Check{Number: 506, ID: "refresh.unspent", Fault: fault.Unauthenticated, Shown: "refresh.unspent", Code: "invalid_grant",
		Says: "The refresh token was not used before by somebody who went on with its successor.", Source: "RFC 9700 section 4.14.2",
		Title: "For your safety we signed you out: an old key to your session was used twice.", Stops: []string{"OAU-10"}})
	RefreshTimely = check.New(check.Check{Number: 507, ID: "refresh.timely", Fault: fault.Unauthenticated, Shown: "refresh.timely", Code: "invalid_grant",
		Says: "A used refresh token came again only within the grace for lost answers.", Source: "RFC 9700 section 4.14.2",
		Title: "Your sign-in could not be continued. Sign in again."})
)

// Checks of access tokens shown to this server.
var (
	AccessForm = check.New(check.Check{Number: 521, ID: "token.form", Fault: fault.Unauthenticated, Shown: "token.form",
		Says: "One access token was sent, in the Authorization header, in the form of an at+jwt or of an opaque token of ours.", Source: "RFC 9068 section 4; RFC 6750 section 2.1",
		Title: "The access token cannot be read.", Stops: []string{"JWT-01", "JWT-10", "JWT-16", "SES-08"}})
	AccessSigned = check.New(check.Check{Number: 522, ID: "token.signature", Fault: fault.Unauthenticated, Shown: "token.signature",
		Says: "One of our keys signed it, with the one algorithm of that key, or sealed it.", Source: "RFC 8725 section 3.1",
		Title: "The access token is not ours.", Stops: []string{"JWT-01", "JWT-02", "JWT-03", "JWT-05", "SES-08"}})
	AccessOurs = check.New(check.Check{Number: 523, ID: "token.audience", Fault: fault.Unauthenticated, Shown: "token.audience",
		Says: "It comes from this issuer and is for this audience.", Source: "RFC 9068 section 4; RFC 8725 section 3.9",
		Title: "The access token is for somebody else.", Stops: []string{"JWT-12"}})
	AccessInTime = check.New(check.Check{Number: 524, ID: "token.in_time", Fault: fault.Unauthenticated, Shown: "token.in_time",
		Says: "It has begun and has not expired.", Source: "RFC 7519 section 4.1",
		Title: "The access token has expired.", Stops: []string{"JWT-11", "JWT-20"}})
	AccessAlive = check.New(check.Check{Number: 525, ID: "token.alive", Fault: fault.Unauthenticated, Shown: "token.alive",
		Says: "Nothing it hangs on has been revoked since it was issued.", Source: "ASVS 7.4.1",
		Title: signedOut, Stops: []string{"OAU-35", "SES-11"}})
)
