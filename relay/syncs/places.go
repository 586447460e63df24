package syncs

import "sync"

// perAgent is how many syncs of one agent run at a time: they share its lane with the streams of callers.
const perAgent = 2

// places bounds the syncs of each agent.
type places struct {
	mu   sync.Mutex
	held map[string]int
}

// enter takes a place, if there is one; leave gives it back.
func (p *places) enter(agent string) (leave func(), ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.held[agent] >= perAgent {
		return nil, false
	}
	p.held[agent]++
	return func() { p.leave(agent) }, true
}

func (p *places) leave(agent string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.held[agent]--; p.held[agent] == 0 {
		delete(p.held, agent)
	}
}
