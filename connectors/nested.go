package connectors

import "context"

type nestedKey struct{}

// Nested marks ctx for a Read that is made while the rows of another Read of the same Conn are still open: an order's
// lines while the orders stream. A driver with a bounded pool keeps native connections apart for nested reads, so that
// parents that wait for their children cannot hold every connection. Nested reads do not nest again.
func Nested(ctx context.Context) context.Context {
	return context.WithValue(ctx, nestedKey{}, true)
}

// IsNested reports whether ctx was marked by Nested.
func IsNested(ctx context.Context) bool {
	nested, _ := ctx.Value(nestedKey{}).(bool)
	return nested
}
