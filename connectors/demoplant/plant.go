package demoplant

import "time"

// How much of everything the plant has.
const (
	assetCount    = 400
	vendorCount   = 80
	itemCount     = 500
	stockCount    = 900
	planCount     = 120
	workCount     = 1500
	orderCount    = 800
	readingCount  = 1500
	storesPerSite = 2
)

// plant is the plant while it is built: what later records refer to.
type plant struct {
	dice
	out *table

	stores  []store
	areas   []area
	assets  []asset
	items   []item
	orders  []order
	people  []string
	onOrder map[int]tenths // by item: ordered and not yet received
}

func newPlant(out *table) *plant {
	return &plant{dice: newDice(), out: out, people: people(), onOrder: map[int]tenths{}}
}

// build makes all records, those that others refer to first. The order is part of the seed: another one is another plant.
func (p *plant) build() {
	p.sites()
	p.equipment()
	p.vendors()
	p.catalogue()
	p.plans()
	p.requestsAndWork()
	p.purchaseOrders()
	p.receipts()
	p.stock()
	p.readings()
}

// changed draws when a record was last touched: soon after it was made, as most are.
func (p *plant) changed(made time.Time) time.Time {
	latest := made.AddDate(0, 0, 90)
	if latest.After(today) {
		latest = today
	}
	if !latest.After(made) {
		return made
	}
	at := p.moment(made, latest)
	if at.Before(made) {
		return made
	}
	return at
}

// worker draws a person.
func (p *plant) worker() string { return pick(p.dice, p.people) }
