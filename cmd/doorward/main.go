// Command doorward is the whole product: the server, its demo and its tools.
package main

import (
	"context"
	"os"

	"github.com/doorward/doorward/internal/app"
	"github.com/doorward/doorward/internal/cli"
)

func main() {
	os.Exit(cli.Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr, cli.Programs{
		Serve: app.Serve, ServeFlags: app.ServeFlags, Now: app.Now,
		Demo: func(ctx context.Context, o cli.DemoOptions) error { return app.RunDemo(ctx, app.Demo(o)) },
	}))
}
