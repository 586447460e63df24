package support

import (
	"sync"
	"time"

	"golang.org/x/time/rate"

	"gantry/tunnel/fault"
)

// pace bounds how often runs begin and how many there are at once.
type pace struct {
	limiter *rate.Limiter
	places  chan struct{}
}

func newPace(every time.Duration, burst, atOnce int) pace {
	return pace{rate.NewLimiter(rate.Every(every), burst), make(chan struct{}, atOnce)}
}

// enter takes a place; nobody waits.
func (p *pace) enter() (leave func(), err error) {
	select {
	case p.places <- struct{}{}:
	default:
		return nil, fault.New(fault.Overloaded, "Such a run of support is under way already.").At(fault.HopAgent).Reaches(fault.ScopeSite).After(5 * time.Second)
	}
	leave = func() { <-p.places }
	turn := p.limiter.Reserve()
	if wait := turn.Delay(); wait > 0 {
		turn.Cancel()
		leave()
		return nil, fault.New(fault.RateLimitExceeded, "Support asks too often; it may again in %s.", max(wait.Round(time.Second), time.Second)).At(fault.HopAgent).Reaches(fault.ScopeSite).After(wait)
	}
	return leave, nil
}

// maxPaces is how many connections are told apart; beyond it those who ask are told to wait.
const maxPaces = 4096

// paces hold a pace for each connection that was asked about. A diagnosis logs in: it must not become a way to try
// logins.
type paces struct {
	every time.Duration
	burst int

	mu  sync.Mutex
	all map[string]*pace
}

func (p *paces) enter(connection string) (leave func(), err error) {
	one := p.of(connection)
	if one == nil {
		return nil, fault.New(fault.Overloaded, "Support asks about too many connections.").At(fault.HopAgent).Reaches(fault.ScopeSite)
	}
	return one.enter()
}

func (p *paces) of(connection string) *pace {
	p.mu.Lock()
	defer p.mu.Unlock()
	if one := p.all[connection]; one != nil {
		return one
	}
	if len(p.all) >= maxPaces {
		p.forget()
	}
	if len(p.all) >= maxPaces {
		return nil
	}
	if p.all == nil {
		p.all = map[string]*pace{}
	}
	one := newPace(p.every, p.burst, 1)
	p.all[connection] = &one
	return &one
}

// forget drops those that are as good as new.
func (p *paces) forget() {
	for name, one := range p.all {
		if len(one.places) == 0 && one.limiter.Tokens() >= float64(p.burst) {
			delete(p.all, name)
		}
	}
}
