package logs

import (
	"context"
	"sync"
)

// follower sends what comes to a place after what was there, until ctx ends.
type follower interface {
	follow(ctx context.Context, out chan<- Line)
}

// followAll gives what comes at all places, until ctx ends or yield fails, and has ended every follower when it returns.
func followAll(ctx context.Context, all []follower, seen *recent, yield func(Line) error) error {
	ctx, stop := context.WithCancel(ctx)
	var work sync.WaitGroup
	defer work.Wait()
	defer stop()
	out := make(chan Line)
	for _, f := range all {
		work.Go(func() { f.follow(ctx, out) })
	}
	for {
		select {
		case <-ctx.Done():
			return nil
		case line := <-out:
			if !seen.first(line) {
				continue
			}
			if err := yield(line); err != nil {
				return err
			}
		}
	}
}
