package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/app"
	"tollgate.dev/internal/audit"
	"tollgate.dev/internal/store"
)

// operatorCommand looks after the accounts of operators, who have no page for
// a forgotten password: whoever reaches the machine may set it.
type operatorCommand struct {
	Password operatorPasswordCommand `cmd:"" help:"Set an operator's password, read from standard input. All sessions of the operator end."`
}

// operatorPasswordCommand sets a password.
type operatorPasswordCommand struct {
	Email string `arg:"" help:"Address of the operator's account."`

	Data  string `help:"Data folder of the installation." default:"tollgate-demo" env:"TOLLGATE_DATA" type:"path"`
	Store string `help:"sqlite:PATH or postgres://…; empty is SQLite in the data folder." env:"TOLLGATE_STORE"`
}

// maxPasswordLine bounds what is read.
const maxPasswordLine = 4096

// Run reads one line and keeps its hash.
func (c *operatorPasswordCommand) Run(ctx context.Context) (err error) {
	if _, err := os.Stat(c.Data); err != nil && c.Store == "" {
		return fmt.Errorf("there is no installation in the data folder: %w", err)
	}
	s, err := app.OpenStore(ctx, c.Store, c.Data)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if err := setOperatorPassword(ctx, s, c.Email, os.Stdin, time.Now()); err != nil {
		return err
	}
	fmt.Println("The password was set; all sessions of " + c.Email + " have ended.")
	return nil
}

func setOperatorPassword(ctx context.Context, s *store.Store, email string, in io.Reader, at time.Time) error {
	address, err := account.NormalEmail(email)
	if err != nil {
		return err
	}
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
		o, err := tx.OperatorByEmail(ctx, address)
		if err != nil {
			return err
		}
		if err := tx.SetOperatorPassword(ctx, o.ID, hash, at); err != nil {
			return err
		}
		return tx.Audit(ctx, audit.Entry{At: at, Actor: "command line", Action: "operator_account.password_reset", Subject: o.ID})
	})
}
