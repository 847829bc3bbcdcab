package main

import (
	"fmt"
	"os"
	"runtime/pprof"

	"github.com/doorward/doorward/internal/app"
	"github.com/doorward/doorward/internal/cli"
)

// profiledMode makes this program the server under a CPU profile.
const profiledMode = "profiled"

// serveProfiled runs a command of the product and writes where its time went
// when it ends.
func serveProfiled(file string, args []string) int {
	f, err := os.Create(file)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer f.Close()
	if err := pprof.StartCPUProfile(f); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer pprof.StopCPUProfile()
	return cli.Main(args, os.Stdin, os.Stdout, os.Stderr, cli.Programs{Serve: app.Serve})
}
