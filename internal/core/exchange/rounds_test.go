//go:build !race

package exchange_test

// How often each race is run. Everything costs so much more under the race
// detector, a password most of all, that there it is fewer times.
const (
	raceRounds   = 200
	signInRounds = 200
)

// crowded is how many sessions one query ends: more than one request does.
const crowded = 10_000
