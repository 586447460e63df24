package tunnel

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"time"

	"github.com/hashicorp/yamux"
)

// mux is all that is asked of a multiplexer. This file is the only one that knows which it is.
type mux interface {
	Open() (net.Conn, error)
	Accept() (net.Conn, error)
	Ping() (time.Duration, error)
	Close() error // ends every stream, then closes what it runs on
	CloseChan() <-chan struct{}
}

// newMux runs yamux on conn. The dialling end is its client: that decides who uses the odd stream ids.
func newMux(conn io.ReadWriteCloser, dialled bool, lane Lane, log *slog.Logger) (mux, error) {
	config := &yamux.Config{
		AcceptBacklog:          backlog,
		EnableKeepAlive:        false,     // Session.beat does it, without a goroutine that waits
		KeepAliveInterval:      keepAlive, // which is looked at all the same
		ConnectionWriteTimeout: queueing,  // also how long a ping may take: the link finds the dead, see limits.go
		MaxStreamWindowSize:    windowOf(lane),
		StreamCloseTimeout:     lingering,
		StreamOpenTimeout:      0, // it would cost a goroutine per stream; a peer that is slow to accept is not dead
		Logger:                 muxLog{log},
	}
	start := yamux.Server
	if dialled {
		start = yamux.Client
	}
	m, err := start(conn, config)
	if err != nil {
		return nil, fmt.Errorf("start multiplexer: %w", err)
	}
	return m, nil
}

// muxLog is yamux's logger. What it calls errors are mostly normal ends, and a real one ends the session, which the
// session's owner logs: so all of it is for debugging.
type muxLog struct{ log *slog.Logger }

var _ yamux.Logger = muxLog{}

func (l muxLog) Print(v ...any)   { l.debug(func() string { return fmt.Sprint(v...) }) }
func (l muxLog) Println(v ...any) { l.debug(func() string { return fmt.Sprint(v...) }) }
func (l muxLog) Printf(format string, v ...any) {
	l.debug(func() string { return fmt.Sprintf(format, v...) })
}

func (l muxLog) debug(text func() string) {
	if l.log.Enabled(context.Background(), slog.LevelDebug) {
		l.log.Debug("multiplexer", "message", text())
	}
}
