// Command tollgate is the whole of Tollgate in one binary: the consoles, the
// API, the gateway and the jobs, and the tools of the operator.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
)

// version is set by the build.
var version = "development"

// commands is the command line; each command has a file of its own.
type commands struct {
	LogLevel slog.Level       `help:"debug, info, warn or error." default:"info" env:"TOLLGATE_LOG_LEVEL"`
	Version  kong.VersionFlag `help:"Print the version."`

	Demo   demoCommand   `cmd:"" help:"Run everything on this machine, with three people and a team that reports."`
	Serve  serveCommand  `cmd:"" help:"Run an installation."`
	Clock  clockCommand  `cmd:"" help:"Show or move the clock of a sandbox."`
	Verify verifyCommand `cmd:"" help:"Check that books, bills and chains are whole."`
	Doctor doctorCommand `cmd:"" help:"Say what would let an installation lose data, money or time: durability, clock, mail, catalogue, what waits."`
	Price  priceCommand  `cmd:"" help:"Say what a day's usage costs, line by line, as a bill would."`
	Bill   billCommand   `cmd:"" help:"Look at bills: how each amount came about."`

	Catalog catalogCommand `cmd:"" help:"See what can be sold at which prices, add versions of it, and try them on past bills."`

	Marketplace marketplaceCommand `cmd:"" help:"Look at what cloud marketplaces collect."`

	Operator operatorCommand `cmd:"" help:"Look after the accounts of operators."`

	Simulate simulateCommand `cmd:"" help:"Play a scenario on a store of its own and tell what comes of it."`

	Marketsim marketsimCommand `cmd:"" help:"Run simulators of the marketplaces of AWS, Alibaba Cloud and Huawei Cloud."`
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:]))
}

func run(ctx context.Context, args []string) int {
	var c commands
	parser, err := kong.New(&c,
		kong.Name("tollgate"),
		kong.Description("Plans, metering, billing and settlement for platforms that take in observability data."),
		kong.UsageOnError(),
		kong.Exit(func(code int) { os.Exit(min(code, 2)) }), // a command line that cannot be read ends with 2
		kong.Vars{"version": version},
		kong.BindTo(ctx, (*context.Context)(nil)),
	)
	if err != nil {
		panic("tollgate: the command line is described wrongly: " + err.Error())
	}
	call, err := parser.Parse(args)
	if err != nil {
		parser.FatalIfErrorf(err)
	}
	log := slog.New(slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: c.LogLevel}))
	if err := call.Run(log); err != nil {
		var wrong *exit
		if errors.As(err, &wrong) {
			return wrong.code
		}
		fmt.Fprintln(os.Stderr, "tollgate:", err)
		return 1
	}
	return 0
}

// exit ends the command with a code of its own; what there is to say was said.
type exit struct{ code int }

func (e *exit) Error() string { return fmt.Sprintf("exit %d", e.code) }
