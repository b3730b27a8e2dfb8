package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/job"
	"tollgate.dev/internal/store"
)

// operatorCommand looks after the accounts of operators for whoever reaches
// the machine, as an administrator does on the console's page.
type operatorCommand struct {
	List     operatorListCommand     `cmd:"" help:"List the operators with their roles."`
	Add      operatorAddCommand      `cmd:"" help:"Add an operator. A first password is printed, this once."`
	Role     operatorRoleCommand     `cmd:"" help:"Give an operator another role: viewer, support, finance or admin."`
	Disable  operatorDisableCommand  `cmd:"" help:"Disable an operator. All sessions of the operator end."`
	Enable   operatorEnableCommand   `cmd:"" help:"Enable an operator again. A new password is printed, this once."`
	Password operatorPasswordCommand `cmd:"" help:"Set an operator's password, read from standard input. All sessions of the operator end."`
}

// within does the work in one transaction, at the installation's time.
func (i *installation) within(ctx context.Context, work func(tx *store.Tx, at time.Time) error) error {
	return i.with(ctx, func(s *store.Store, clock *job.Clock) error {
		return s.Write(ctx, func(tx *store.Tx) error { return work(tx, clock.Now()) })
	})
}

// operatorListCommand lists operators.
type operatorListCommand struct{ installation }

// Run writes one line for each.
func (c *operatorListCommand) Run(ctx context.Context) error {
	return c.within(ctx, func(tx *store.Tx, _ time.Time) error { return listOperators(ctx, tx, os.Stdout) })
}

func listOperators(ctx context.Context, tx *store.Tx, to io.Writer) error {
	all, err := tx.Operators(ctx)
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(table, "EMAIL\tNAME\tROLE\tSTATE")
	for _, o := range all {
		state := "active"
		if o.Disabled() {
			state = "disabled since " + o.DisabledAt.UTC().Format(time.RFC3339)
		}
		_, _ = fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", o.Email, o.Name, o.Role, state)
	}
	return table.Flush()
}

// operatorAddCommand adds an operator.
type operatorAddCommand struct {
	installation
	Email    string `arg:"" help:"Address that the operator signs in with."`
	Role     string `help:"What the operator is there for." enum:"viewer,support,finance,admin" default:"viewer"`
	Name     string `help:"Name of the operator; empty is the address up to the @."`
	Language string `help:"Language of the console: en or zh." enum:"en,zh" default:"en"`
}

// Run adds the operator and prints the password.
func (c *operatorAddCommand) Run(ctx context.Context) error {
	first, err := account.NewFirstPassword()
	if err != nil {
		return err
	}
	draft := account.OperatorDraft{Email: c.Email, Name: c.Name, Role: account.OperatorRole(c.Role), Language: c.Language}
	err = c.within(ctx, func(tx *store.Tx, at time.Time) error {
		_, err := account.AddOperator(ctx, tx, draft, first.Hash, account.CommandLine, time.Now())
		return err
	})
	if err != nil {
		return err
	}
	fmt.Println("The operator was added. The first password, shown this once: " + first.Text)
	return nil
}

// operatorRoleCommand gives another role.
type operatorRoleCommand struct {
	installation
	Email string `arg:"" help:"Address of the operator's account."`
	Role  string `arg:"" help:"viewer, support, finance or admin." enum:"viewer,support,finance,admin"`
}

// Run gives the role; sessions go on with it.
func (c *operatorRoleCommand) Run(ctx context.Context) error {
	return c.within(ctx, func(tx *store.Tx, at time.Time) error {
		o, err := operatorOf(ctx, tx, c.Email)
		if err != nil {
			return err
		}
		return account.GiveRole(ctx, tx, o.ID, account.OperatorRole(c.Role), account.CommandLine, at)
	})
}

// operatorDisableCommand disables an operator.
type operatorDisableCommand struct {
	installation
	Email string `arg:"" help:"Address of the operator's account."`
}

// Run ends the sessions too.
func (c *operatorDisableCommand) Run(ctx context.Context) error {
	return c.within(ctx, func(tx *store.Tx, at time.Time) error {
		o, err := operatorOf(ctx, tx, c.Email)
		if err != nil {
			return err
		}
		return account.DisableOperator(ctx, tx, o.ID, account.CommandLine, at)
	})
}

// operatorEnableCommand enables an operator again.
type operatorEnableCommand struct {
	installation
	Email string `arg:"" help:"Address of the operator's account."`
}

// Run prints the new password, if one was needed.
func (c *operatorEnableCommand) Run(ctx context.Context) error {
	first, err := account.NewFirstPassword()
	if err != nil {
		return err
	}
	enabled := false
	err = c.within(ctx, func(tx *store.Tx, at time.Time) error {
		o, err := operatorOf(ctx, tx, c.Email)
		if err != nil {
			return err
		}
		enabled, err = account.EnableOperator(ctx, tx, o.ID, first.Hash, account.CommandLine, time.Now())
		return err
	})
	switch {
	case err != nil:
		return err
	case enabled:
		fmt.Println("The operator was enabled. The new password, shown this once: " + first.Text)
	default:
		fmt.Println("The operator was not disabled. Nothing was changed.")
	}
	return nil
}

// operatorPasswordCommand sets a password.
type operatorPasswordCommand struct {
	installation
	Email string `arg:"" help:"Address of the operator's account."`
}

// maxPasswordLine bounds what is read.
const maxPasswordLine = 4096

// Run reads one line and keeps its hash.
func (c *operatorPasswordCommand) Run(ctx context.Context) error {
	return c.with(ctx, func(s *store.Store, clock *job.Clock) error {
		if err := setOperatorPassword(ctx, s, c.Email, os.Stdin, clock.Now()); err != nil {
			return err
		}
		fmt.Println("The password was set; all sessions of " + c.Email + " have ended.")
		return nil
	})
}

func setOperatorPassword(ctx context.Context, s *store.Store, email string, in io.Reader, at time.Time) error {
	line, err := bufio.NewReader(io.LimitReader(in, maxPasswordLine)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("read the password: %w", err)
	}
	password := strings.TrimRight(line, "\r\n")
	hash, err := account.NewPassword(password, password)
	if err != nil {
		return err
	}
	return s.Write(ctx, func(tx *store.Tx) error {
		o, err := operatorOf(ctx, tx, email)
		if err != nil {
			return err
		}
		return account.ResetOperatorPassword(ctx, tx, o.ID, hash, account.CommandLine, at)
	})
}

func operatorOf(ctx context.Context, tx *store.Tx, email string) (account.Operator, error) {
	address, err := account.NormalEmail(email)
	if err != nil {
		return account.Operator{}, err
	}
	return tx.OperatorByEmail(ctx, address)
}
