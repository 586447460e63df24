package policy

import "gantry/configs"

// MaxRows gives how many rows one call of the connection may read; 0: no cap.
func (p *Policy) MaxRows(c Connection) int {
	rows := 0
	for _, r := range p.of(c) {
		rows = smaller(rows, r.maxRows)
	}
	return rows
}

// Concurrency gives how many calls of the connection may run at once; 0: no cap.
func (p *Policy) Concurrency(c Connection) int {
	calls := 0
	for _, r := range p.of(c) {
		calls = smaller(calls, r.concurrency)
	}
	return calls
}

// Rate gives how often the connection may call; the zero Rate: no cap.
func (p *Policy) Rate(c Connection) configs.Rate {
	var rate configs.Rate
	for _, r := range p.of(c) {
		if r.rate.PerSecond() < rate.PerSecond() {
			rate = r.rate
		}
	}
	return rate
}

// smaller gives the tighter of two caps, of which 0 is none.
func smaller(a, b int) int {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}
