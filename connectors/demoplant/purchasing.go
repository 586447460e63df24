package demoplant

import (
	"fmt"
	"time"
)

// The native codes of table PO_HDR.
const (
	orderDraft     = 10
	orderPending   = 20
	orderApproved  = 30
	orderSent      = 40
	orderPart      = 50
	orderReceived  = 60
	orderInvoiced  = 70
	orderClosed    = 80
	orderCancelled = 90
)

var (
	openOrders    = []weighted[int]{{orderDraft, 10}, {orderPending, 30}, {orderApproved, 30}, {orderSent, 25}, {orderCancelled, 5}}
	oldOrders     = []weighted[int]{{orderPart, 6}, {orderReceived, 10}, {orderInvoiced, 20}, {orderClosed, 64}}
	serviceOrders = []weighted[int]{{orderInvoiced, 20}, {orderClosed, 70}, {orderCancelled, 10}}
)

var services = []string{"Crane hire", "Scaffolding", "Vibration analysis", "Industrial cleaning", "Rewinding of motor"}

// order is what a receipt must know of a purchase order.
type order struct {
	no, state, site int
	ordered         time.Time
	kind            string
	lines           []line
	received        []tenths // by line
}

// purchaseOrders makes the orders in the order of time: goods and services in turn. Those of the last four months are
// still open.
func (p *plant) purchaseOrders() {
	span := today.Sub(opening) / orderCount
	for no := 1; no <= orderCount; no++ {
		day := opening.Add(time.Duration(no-1) * span)
		o := order{no: no, site: p.between(1, len(mills)), kind: "standard",
			ordered: time.Date(day.Year(), day.Month(), day.Day(), p.between(6, 17), p.between(0, 59), 0, 0, time.UTC)}
		states := oldOrders
		if no%2 == 0 {
			o.kind, states = "service", serviceOrders
		}
		if o.ordered.After(today.AddDate(0, -4, 0)) {
			states = openOrders
		}
		o.state = pickWeighted(p.dice, states)
		vendor := p.fillOrder(&o)
		p.order(o, vendor)
		p.orders = append(p.orders, o)
	}
}

// fillOrder draws the lines of an order, and gives the vendor who has its first item.
func (p *plant) fillOrder(o *order) (vendor int) {
	vendor = p.between(1, vendorCount)
	for n := range p.between(1, 5) {
		l := line{item: item{name: pick(p.dice, services), unit: "HUR"}, quantity: tenths(p.between(20, 400)), price: cents(100 * p.between(650, 1800))}
		if o.kind == "standard" {
			i := pick(p.dice, p.items)
			l = line{i, tenths(10 * p.between(1, 24)), i.cost}
			if n == 0 {
				vendor = i.vendors[0]
			}
		}
		o.lines = append(o.lines, l)
		o.received = append(o.received, p.arrived(*o, l, n))
	}
	return vendor
}

// arrived is what has come of a line. Of a partially received order only the first line did, and half of it.
func (p *plant) arrived(o order, l line, n int) tenths {
	open := o.kind == "standard" && (o.state == orderSent || o.state == orderPart)
	switch {
	case o.kind != "standard" || o.state < orderPart || o.state == orderCancelled || o.state == orderPart && n > 0:
		if open {
			p.onOrder[l.item.no] += l.quantity
		}
		return 0
	case o.state == orderPart:
		half := l.quantity / 20 * 10
		p.onOrder[l.item.no] += l.quantity - half
		return half
	}
	return l.quantity
}

func (p *plant) order(o order, vendor int) {
	net := sum(o.lines)
	tax, freight := (net*25+50)/100, cents(0)
	if o.kind == "standard" {
		freight = cents(100 * p.between(0, 9) * 50)
	}
	var approvedAt any
	if o.state >= orderApproved && o.state != orderCancelled {
		approvedAt = stamp(o.ordered.Add(time.Duration(p.between(1, 120)) * time.Minute))
	}
	due := o.ordered.AddDate(0, 0, p.between(7, 45))
	p.out.insert("PO_HDR", "PO_NO,PO_CD,TITLE,STAT,PO_TYPE,VEND_NO,SITE_NO,BUYER,RQST_BY,ORD_DT,DUE_DT,APPR_UTC,CURR,TERMS,NET_AMT,TAX_AMT,FRT_AMT,TOT_AMT,COST_CTR,CRT_UTC,CHG_UTC",
		o.no, fmt.Sprintf("PO-%06d", 400_000+o.no), o.lines[0].item.name, o.state, o.kind, vendor, o.site, p.worker(), p.worker(),
		clock(o.ordered), clock(due), approvedAt, "SEK", "30 days net", net, tax, freight, net+tax+freight,
		fmt.Sprintf("%d", 4100+10*p.between(0, 9)), stamp(o.ordered), stamp(p.changed(o.ordered)))
	for n, l := range o.lines {
		p.out.insert("PO_LINE", "PO_NO,LINE,ITEM_NO,DESCR,QTY,UOM,PRICE,AMT,DUE_DT,RCV_QTY,STAT",
			o.no, n+1, number(l.item.no), l.item.name, l.quantity, l.item.unit, l.price, l.amount(), clock(due), o.received[n], lineState(o, n))
	}
}

// lineState is the native code of table PO_LINE.
func lineState(o order, n int) int {
	switch {
	case o.state == orderCancelled:
		return 9
	case o.received[n] == 0:
		return 1
	case o.received[n] < o.lines[n].quantity:
		return 2
	}
	return 3
}

// receipts makes a goods receipt for every order of which something arrived.
func (p *plant) receipts() {
	no := 0
	for _, o := range p.orders {
		var total tenths
		for _, quantity := range o.received {
			total += quantity
		}
		if total == 0 {
			continue
		}
		no++
		at := o.ordered.AddDate(0, 0, p.between(3, 30))
		p.out.insert("GR_HDR", "GR_NO,GR_CD,STAT,PO_NO,RCV_DT,RCV_BY,CRT_UTC,CHG_UTC",
			no, fmt.Sprintf("GR-%06d", 700_000+no), p.between(1, 2), o.no, clock(at), p.worker(), stamp(at), stamp(p.changed(at)))
		p.receiptLines(no, o)
	}
}

func (p *plant) receiptLines(no int, o order) {
	row := 0
	s := p.stores[(o.site-1)*storesPerSite]
	for n, quantity := range o.received {
		if quantity == 0 {
			continue
		}
		row++
		var rejected tenths
		if p.chance(4) {
			rejected = 10
		}
		l := o.lines[n]
		p.out.insert("GR_LINE", "GR_NO,LINE,PO_LINE,ITEM_NO,DESCR,QTY,ACC_QTY,REJ_QTY,UOM,STORE_CD,BIN,LOT",
			no, row, n+1, number(l.item.no), l.item.name, quantity, quantity-rejected, rejected, l.item.unit, s.code,
			fmt.Sprintf("%c-%02d-%d", 'A'+rune(p.IntN(6)), p.between(1, 24), p.between(1, 5)), fmt.Sprintf("L%06d", p.between(0, 999_999)))
	}
}
