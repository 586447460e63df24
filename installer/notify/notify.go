// Package notify tells systemd how a service is: sd_notify(3), over the datagram socket that the service manager names in
// the environment. Where nobody listens, as on Windows and in the foreground, everything here does nothing.
//
// It sends and never reads. What it says of the service is the service's own word; Watch asks for it, and keeps the
// watchdog quiet only as long as it gets an answer.
package notify

import (
	"context"
	"net"
	"os"
	"strconv"
	"strings"
	"time"
)

// Socket is where the service manager listens. The zero value is nobody.
type Socket struct{ path string }

// FromEnvironment finds the socket that the service manager gave this process.
func FromEnvironment() Socket { return Socket{os.Getenv("NOTIFY_SOCKET")} }

// Present reports whether somebody listens.
func (s Socket) Present() bool { return s.path != "" }

// Ready says that the service does its work.
func (s Socket) Ready() error { return s.send("READY=1") }

// Reloading says that the service reads its configuration anew; Ready ends it.
func (s Socket) Reloading() error { return s.send("RELOADING=1\nMONOTONIC_USEC=" + monotonic()) }

// Stopping says that the service finishes what is under way.
func (s Socket) Stopping() error { return s.send("STOPPING=1") }

// Status gives the one line that `systemctl status` shows.
func (s Socket) Status(sentence string) error {
	return s.send("STATUS=" + strings.Join(strings.Fields(sentence), " "))
}

// Alive feeds the watchdog.
func (s Socket) Alive() error { return s.send("WATCHDOG=1") }

func (s Socket) send(message string) error {
	if s.path == "" {
		return nil
	}
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: s.path, Net: "unixgram"})
	if err != nil {
		return err
	}
	defer conn.Close() //nolint:errcheck // a datagram socket has nothing to flush
	_, err = conn.Write([]byte(message))
	return err
}

// WatchdogFromEnvironment is the time after which the service manager kills a service that does not say Alive; 0: it does
// not watch this process.
func WatchdogFromEnvironment() time.Duration {
	if pid := os.Getenv("WATCHDOG_PID"); pid != "" && pid != strconv.Itoa(os.Getpid()) {
		return 0
	}
	µs, err := strconv.ParseInt(os.Getenv("WATCHDOG_USEC"), 10, 64)
	if err != nil || µs <= 0 {
		return 0
	}
	return time.Duration(µs) * time.Microsecond
}

// whileStarting is how often a service is asked that has not answered yet: who waits for its start waits that long.
const whileStarting = 20 * time.Millisecond

// Watch says Ready when the service first answers, tells its sentence whenever that changes, and feeds the watchdog three times in its span, each time
// after the service has answered: ask must go through the loop whose life is in question, and give its sentence. It
// returns when ctx ends.
func (s Socket) Watch(ctx context.Context, watchdog time.Duration, ask func(context.Context) (string, error)) {
	if !s.Present() {
		<-ctx.Done()
		return
	}
	ticker := time.NewTicker(whileStarting)
	defer ticker.Stop()
	var ready bool
	var told string
	var fed time.Time
	for {
		sentence, err := ask(ctx)
		if err == nil && !ready {
			ready = s.Ready() == nil
			ticker.Reset(time.Second)
		}
		if err == nil && sentence != told && s.Status(sentence) == nil {
			told = sentence
		}
		if err == nil && watchdog > 0 && time.Since(fed) >= watchdog/3 && s.Alive() == nil {
			fed = time.Now()
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}
