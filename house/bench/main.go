// Command bench measures Gantry's road against direct access, against the limit (two plain TLS hops by net/http) and
// against frp, interleaved in one run, and prints one table with the goals beside the figures. All ends run on this
// machine, over loopback or over a shaped link.
//
//	bench [-quick] [-frp FOLDER] [-strict] [-only loopback|far|busy|sessions] [-profile FOLDER]
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"time"

	"gantry/house/shaper"
)

func main() {
	quickly := flag.Bool("quick", false, "short rounds: to see that it works, not to quote")
	frpFolder := flag.String("frp", ".bench/frp", "folder with frps and frpc")
	strict := flag.Bool("strict", false, "exit 1 when a goal is not met")
	only := flag.String("only", "", "one part: loopback, far, busy or sessions")
	profiles := flag.String("profile", "", "folder for CPU and heap profiles, also of the relay that runs in a process of its own")
	asRelay := flag.String("relay", "", "internal: serve as the relay of another bench")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if *asRelay != "" {
		exit(serveAsChild(ctx, *asRelay, *profiles))
	}
	stopProfile, err := startProfile(*profiles, "bench")
	if err != nil {
		exit(err)
	}
	e := full
	if *quickly {
		e = quick
	}
	e.profiles = *profiles
	rows, err := measure(ctx, e, *frpFolder, *only)
	if err != nil {
		exit(err)
	}
	if err := stopProfile(); err != nil {
		exit(err)
	}
	fmt.Printf("\n%s, %d cores, %s, %d rounds; each figure is the median of its rounds\n\n", runtime.Version(), runtime.NumCPU(), time.Now().Format(time.DateOnly), e.rounds)
	if !print(os.Stdout, rows) && *strict {
		os.Exit(1)
	}
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// measure runs the parts of the table.
func measure(ctx context.Context, e effort, frpFolder, only string) (rows []row, err error) {
	parts := []struct {
		name string
		run  func(context.Context, *lab, effort) ([]row, error)
	}{
		{"loopback", func(ctx context.Context, l *lab, e effort) ([]row, error) { return loopback(ctx, l, e, frpFolder) }},
		{"far", far}, {"busy", busy}, {"sessions", sessionRows},
	}
	for _, p := range parts {
		if only != "" && only != p.name {
			continue
		}
		fmt.Fprintf(os.Stderr, "measuring: %s\n", p.name)
		l, err := newLab()
		if err != nil {
			return nil, err
		}
		more, err := p.run(ctx, l, e)
		l.close()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", p.name, err)
		}
		rows = append(rows, more...)
	}
	return rows, nil
}

// loopback: every road over loopback, and Gantry once more where the outer TLS ends elsewhere.
func loopback(ctx context.Context, l *lab, e effort, frpFolder string) ([]row, error) {
	address := l.serve(backend())
	station, err := openStation(ctx, l, true, straight)
	if err != nil {
		return nil, err
	}
	roads := []*road{direct(address), limit(l, address, straight), station.road(l)}
	if peer, err := frp(l, frpFolder, l.serveTLS(backend())); err == nil {
		roads = append(roads, peer)
	} else {
		fmt.Fprintln(os.Stderr, err)
	}
	plain, err := openStation(ctx, l, false, straight)
	if err != nil {
		return nil, err
	}
	single := plain.road(l)
	single.name = "one TLS"
	return loopbackRows(ctx, e, append(roads, single))
}

// overLink opens the limit and Gantry with a shaped link where the tunnel is, and nothing else.
func overLink(ctx context.Context, l *lab, link shaper.Link) ([]*road, error) {
	address := l.serve(backend())
	var failure error
	through := func(target string) string {
		s, err := shaper.Listen(target, link)
		if err != nil {
			failure = err
			return target
		}
		l.closers = append(l.closers, func() { _ = s.Close() })
		return s.Addr()
	}
	station, err := openStation(ctx, l, true, through)
	if err != nil {
		return nil, err
	}
	return []*road{limit(l, address, through), station.road(l)}, failure
}

func far(ctx context.Context, l *lab, e effort) ([]row, error) {
	roads, err := overLink(ctx, l, shaper.Link{Delay: 20 * time.Millisecond})
	if err != nil {
		return nil, err
	}
	r, err := farRow(ctx, e, roads)
	return []row{r}, err
}

func busy(ctx context.Context, l *lab, e effort) ([]row, error) {
	roads, err := overLink(ctx, l, shaper.Link{Delay: 20 * time.Millisecond, Rate: 100_000_000 / 8})
	if err != nil {
		return nil, err
	}
	var rows []row
	for _, streams := range []int{1, 8} {
		r, err := busyRow(ctx, e, streams, roads)
		if err != nil {
			return nil, err
		}
		rows = append(rows, r)
	}
	return rows, nil
}
