//go:build race

package exchange_test

const (
	raceRounds   = 60
	signInRounds = 25
)

// crowded is fewer: under the race detector a thousand writes take seconds.
const crowded = 5_000
