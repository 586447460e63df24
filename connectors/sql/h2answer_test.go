package sqldriver

import (
	"bufio"
	"database/sql/driver"
	big "encoding/binary"
	"fmt"
	"io"
	"strconv"
	"time"
)

// h2Answer is what H2 gave for one statement: rows or a count.
type h2Answer struct {
	columns  []string
	rows     [][]driver.Value
	affected int32
}

// Columns implements driver.Rows.
func (a *h2Answer) Columns() []string { return a.columns }

// Close implements driver.Rows.
func (a *h2Answer) Close() error { return nil }

// Next implements driver.Rows.
func (a *h2Answer) Next(into []driver.Value) error {
	if len(a.rows) == 0 {
		return io.EOF
	}
	copy(into, a.rows[0])
	a.rows = a.rows[1:]
	return nil
}

// h2Reader reads answers; after an error, zeros.
type h2Reader struct {
	in  *bufio.Reader
	err error
}

func (r *h2Reader) answer() (*h2Answer, error) {
	answer := &h2Answer{}
	switch kind := r.octet(); kind {
	case 'u':
		answer.affected = r.number()
	case 'r':
		r.rows(answer)
	case 'e':
		failure := h2Error{code: r.number(), message: r.text()}
		if r.err == nil {
			return nil, failure
		}
	default:
		if r.err == nil {
			r.err = fmt.Errorf("an answer of the kind %q", kind)
		}
	}
	return answer, r.err
}

func (r *h2Reader) rows(answer *h2Answer) {
	for range r.number() {
		answer.columns = append(answer.columns, r.text())
	}
	for r.octet() == 1 {
		row := make([]driver.Value, len(answer.columns))
		for i := range row {
			row[i] = r.value()
		}
		answer.rows = append(answer.rows, row)
	}
}

func (r *h2Reader) value() (value driver.Value) {
	kind, text := r.octet(), r.text()
	var err error
	switch kind {
	case 'n':
		return nil
	case 'l':
		value, err = strconv.ParseInt(text, 10, 64)
	case 't':
		if len(text) == len("2006-01-02T15:04") { // Java leaves out seconds that are zero
			text += ":00"
		}
		value, err = time.Parse(h2Time, text)
	default:
		return text
	}
	if r.err == nil {
		r.err = err
	}
	return value
}

func (r *h2Reader) octet() byte {
	var b [1]byte
	r.read(b[:])
	return b[0]
}

func (r *h2Reader) number() int32 {
	var b [4]byte
	r.read(b[:])
	return int32(big.BigEndian.Uint32(b[:]))
}

func (r *h2Reader) text() string {
	var size [2]byte
	r.read(size[:])
	text := make([]byte, big.BigEndian.Uint16(size[:]))
	r.read(text)
	return string(text)
}

func (r *h2Reader) read(b []byte) {
	if r.err == nil {
		_, r.err = io.ReadFull(r.in, b)
	}
	if r.err != nil {
		clear(b)
	}
}
