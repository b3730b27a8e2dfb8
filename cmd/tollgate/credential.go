package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/job"
	"tollgate.dev/internal/marketplace"
	"tollgate.dev/internal/secret"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/workspace"
)

// credentialName is a credential of a cloud.
type credentialName struct {
	Cloud string `arg:"" help:"alibaba, alibaba_intl, aws or huawei."`
	Name  string `arg:"" help:"access_key, secret or key."`
}

type configureCommand struct {
	credentialName
	installation
	secretKeyFlags
}

type forgetCommand struct {
	credentialName
	installation
}

type credentialsCommand struct {
	installation
	secretKeyFlags
}

type newKeyCommand struct{}

type rotateKeyCommand struct {
	installation
	secretKeyFlags
}

// terminal is who enters credentials here.
var terminal = workspace.Actor{AccountID: account.CommandLine.ID}

// mostInput bounds what is read of the standard input.
const mostInput = 4 << 10

// Run reads the credential, so that it stands on no command line.
func (c *configureCommand) Run(ctx context.Context) error {
	ring, err := c.ring()
	if err != nil {
		return err
	}
	raw, err := io.ReadAll(io.LimitReader(os.Stdin, mostInput))
	if err != nil {
		return fmt.Errorf("read the credential: %w", err)
	}
	return c.with(ctx, func(s *store.Store, clock *job.Clock) error {
		var kept marketplace.Credential
		err := s.Write(ctx, func(tx *store.Tx) (err error) {
			kept, err = marketplace.SetCredential(ctx, tx, ring, site.Method(c.Cloud), c.Name, string(raw), terminal, clock.Now())
			return err
		})
		if err != nil {
			return plainly(err)
		}
		fmt.Printf("%s of %s is sealed with key %s; it is used from the next start on\n", kept.Name, kept.Cloud, kept.Sealed.Key)
		return nil
	})
}

// Run removes it.
func (c *forgetCommand) Run(ctx context.Context) error {
	return c.with(ctx, func(s *store.Store, clock *job.Clock) error {
		return plainly(s.Write(ctx, func(tx *store.Tx) error {
			return marketplace.ForgetCredential(ctx, tx, site.Method(c.Cloud), c.Name, terminal, clock.Now())
		}))
	})
}

// Run prints a line for each, and ends with 1 when one does not open.
func (c *credentialsCommand) Run(ctx context.Context) error {
	ring, err := c.ring()
	if err != nil {
		return err
	}
	return c.with(ctx, func(s *store.Store, _ *job.Clock) error {
		var all []marketplace.Credential
		err := s.Read(ctx, func(tx *store.Tx) (err error) {
			all, err = tx.Credentials(ctx)
			return err
		})
		if err != nil {
			return err
		}
		w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
		_, _ = fmt.Fprintln(w, "CLOUD\tNAME\tENDS WITH\tENTERED\tSEALED BY\tOPENS") // Flush says what went wrong
		broken := false
		for _, credential := range all {
			_, err := ring.Open(credential.Place(), credential.Sealed)
			opens := "yes"
			if err != nil {
				opens, broken = err.Error(), true
			}
			_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", credential.Cloud, credential.Name, credential.Tail,
				credential.SetAt.UTC().Format(time.RFC3339), credential.Sealed.Key, opens)
		}
		if err := w.Flush(); err != nil {
			return err
		}
		if broken {
			return &exit{1}
		}
		return nil
	})
}

// Run prints a key.
func (*newKeyCommand) Run() error {
	_, err := fmt.Println(secret.NewKey())
	return err
}

// Run seals anew what another key sealed.
func (c *rotateKeyCommand) Run(ctx context.Context) error {
	ring, err := c.ring()
	if err != nil {
		return err
	}
	return c.with(ctx, func(s *store.Store, clock *job.Clock) error {
		var n int
		err := s.Write(ctx, func(tx *store.Tx) (err error) {
			n, err = marketplace.Reseal(ctx, tx, ring, terminal, clock.Now())
			return err
		})
		if err != nil {
			return plainly(err)
		}
		fmt.Printf("%d credentials were sealed anew; all are sealed with key %s, and the others are needed no longer\n", n, ring.Current())
		return nil
	})
}

// plainly is a fault's sentence for a terminal; other errors stay.
func plainly(err error) error {
	if f := fault.From(err); err != nil && f.Kind != fault.Internal {
		return errors.New(strings.TrimSuffix(f.Message, "."))
	}
	return err
}
