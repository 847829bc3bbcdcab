//go:build race

package exchange_test

const (
	raceRounds   = 100
	signInRounds = 40
)

// crowded is fewer: under the race detector a thousand writes take seconds.
const crowded = 5_000
