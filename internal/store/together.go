package store

import (
	"context"
	"fmt"
)

// Statement is one of several that go to the database together.
type Statement struct {
	SQL  string
	Args []any
	Read func(Rows) error // of a query; nil where it only writes
	Rows int64            // how many rows it touched
}

// pipeline is what an engine offers that sends statements in one go, so that
// only the first waits for the way there and back.
type pipeline interface {
	Together(ctx context.Context, statements []*Statement) error
}

// together runs statements in their order: in one go, where the engine can.
func (tx *Tx) together(ctx context.Context, what string, statements ...*Statement) error {
	if p, ok := tx.conn.(pipeline); ok {
		if err := p.Together(ctx, statements); err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
		return nil
	}
	for _, s := range statements {
		if err := s.run(ctx, tx); err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
	}
	return nil
}

func (s *Statement) run(ctx context.Context, tx *Tx) (err error) {
	if s.Read == nil {
		s.Rows, err = tx.Exec(ctx, s.SQL, s.Args...)
		return err
	}
	rows, err := tx.Query(ctx, s.SQL, s.Args...)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	if err := s.Read(rows); err != nil {
		return err
	}
	return rows.Err()
}

// each reads every row of a statement.
func each(scan func(Row) error) func(Rows) error {
	return func(rows Rows) error {
		for rows.Next() {
			if err := scan(rows); err != nil {
				return err
			}
		}
		return rows.Err()
	}
}
