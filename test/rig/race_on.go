//go:build race

package rig

// race says that these tests run under the race detector; then so does the server.
const race = true
