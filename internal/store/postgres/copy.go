package postgres

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"strings"

	"tollgate.dev/internal/store"
)

// CopyFrom takes many rows at once, by COPY in its binary form.
func (c conn) CopyFrom(ctx context.Context, table string, columns []string, n int, row func(i int, to *store.Fields)) (int64, error) {
	sql := fmt.Sprintf("COPY %s (%s) FROM STDIN BINARY", table, strings.Join(columns, ", "))
	tag, err := c.tx.Conn().PgConn().CopyFrom(ctx, &copied{rows: n, columns: len(columns), row: row}, sql)
	return tag.RowsAffected(), err
}

// copied reads as the rows do in PostgreSQL's binary format: a head, a count of
// columns before each row, and an end.
type copied struct {
	rows, columns int
	row           func(i int, to *store.Fields)
	next          int
	begun, ended  bool
	made          store.Fields
	at            int // how much of it was read
}

var copyHead = []byte("PGCOPY\n\xff\r\n\x00\x00\x00\x00\x00\x00\x00\x00\x00")

const copyChunk = 60 << 10 // that much is made before it is read

// Read makes rows as they are wanted.
func (c *copied) Read(to []byte) (int, error) {
	if c.at == len(c.made.Binary) {
		if c.ended {
			return 0, io.EOF
		}
		c.make()
	}
	n := copy(to, c.made.Binary[c.at:])
	c.at += n
	return n, nil
}

func (c *copied) make() {
	c.at, c.made.Binary = 0, c.made.Binary[:0]
	if !c.begun {
		c.begun, c.made.Binary = true, append(make([]byte, 0, 2*copyChunk), copyHead...)
	}
	for ; c.next < c.rows && len(c.made.Binary) < copyChunk; c.next++ {
		c.made.Binary = binary.BigEndian.AppendUint16(c.made.Binary, uint16(c.columns))
		c.row(c.next, &c.made)
	}
	if c.next == c.rows {
		c.ended, c.made.Binary = true, append(c.made.Binary, 0xff, 0xff)
	}
}
