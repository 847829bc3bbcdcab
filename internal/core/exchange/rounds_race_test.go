//go:build race

package exchange_test

const (
	raceRounds   = 100
	signInRounds = 40
)
