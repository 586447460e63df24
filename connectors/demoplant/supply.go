package demoplant

import "fmt"

// item is a part that can be bought.
type item struct {
	no      int
	code    string
	name    string
	unit    string
	cost    cents
	vendors []int
}

// vendors makes the suppliers, with addresses and contacts.
func (p *plant) vendors() {
	for no := 1; no <= vendorCount; no++ {
		made := p.moment(opening.AddDate(0, 0, -150), opening)
		stem := vendorStems[(no-1)%len(vendorStems)]
		name := stem + pickWeighted(p.dice, vendorEnds)
		p.out.insert("VENDOR", "VEND_NO,VEND_CD,NAME,TAX_ID,CURR,TERMS,ACT,BLKD,CRT_UTC,CHG_UTC",
			no, fmt.Sprintf("V%04d", 1000+no), name, fmt.Sprintf("SE55%08d01", p.between(10_000_000, 99_999_999)),
			pickWeighted(p.dice, []weighted[string]{{"SEK", 80}, {"EUR", 20}}), pick(p.dice, []string{"30 days net", "60 days net", "14 days 2 %"}),
			flag(!p.chance(5)), flag(p.chance(4)), stamp(made), stamp(p.changed(made)))
		for line, kind := range []string{"office", "warehouse"}[:p.between(1, 2)] {
			place := pick(p.dice, cities)
			p.out.insert("VEND_ADDR", "VEND_NO,LINE,ADDR_TYPE,NAME,STREET,CITY,ZIP,COUNTRY",
				no, line+1, kind, name, fmt.Sprintf("%s %d", pick(p.dice, streets), p.between(1, 88)), place.city, place.zip, "SE")
		}
		for line, role := range []string{"sales", "accounts"}[:p.between(1, 2)] {
			p.out.insert("VEND_CONT", "VEND_NO,LINE,NAME,ROLE,EMAIL,PHONE",
				no, line+1, p.worker(), role, fmt.Sprintf("%s@v%04d.example", role, 1000+no), fmt.Sprintf("+46 54 %06d", p.between(100_000, 999_999)))
		}
	}
}

// catalogue makes the items, each with one to three vendors.
func (p *plant) catalogue() {
	for no := 1; no <= itemCount; no++ {
		g := groups[(no-1)%len(groups)]
		size := pick(p.dice, g.sizes)
		i := item{no: no, code: fmt.Sprintf("%s-%04d", g.code, no), name: g.name + " " + size, unit: g.unit, cost: cents(p.between(g.low, g.high))}
		made := p.moment(opening.AddDate(0, 0, -120), opening)
		p.out.insert("ITEM", "ITEM_NO,ITEM_CD,NAME,DESCR,ITEM_TYPE,CATEGORY,UOM,MFR,MFR_PART,UNIT_COST,CURR,STOCKED,ACT,CRT_UTC,CHG_UTC",
			no, i.code, i.name, fmt.Sprintf("%s, %s, for the whole group", g.name, size), pickWeighted(p.dice, []weighted[string]{{"spare", 80}, {"consumable", 20}}),
			g.category, g.unit, pick(p.dice, kinds[no%len(kinds)].makers), fmt.Sprintf("%s/%05d", g.code, p.between(10_000, 99_999)),
			i.cost, "SEK", flag(!p.chance(8)), flag(!p.chance(4)), stamp(made), stamp(p.changed(made)))
		first := p.IntN(vendorCount)
		for n := range p.between(1, 3) {
			vendor := (first+n*17)%vendorCount + 1
			i.vendors = append(i.vendors, vendor)
			price := i.cost * cents(p.between(92, 115)) / 100
			p.out.insert("ITEM_VEND", "ITEM_NO,VEND_NO,PART_NO,PRICE,CURR,LEAD_DAYS,PREF",
				no, vendor, fmt.Sprintf("%d-%s", vendor, i.code), price, "SEK", p.between(2, 45), flag(n == 0))
		}
		p.items = append(p.items, i)
	}
}

// stock puts items into storerooms. The key of a row is the item and the storeroom.
func (p *plant) stock() {
	for n := range stockCount {
		i, s := p.items[n%itemCount], p.stores[(n+n/itemCount)%len(p.stores)]
		minimum := p.between(1, 20)
		onHand := tenths(10 * p.between(0, 4*minimum))
		counted := p.moment(today.AddDate(-1, 0, 0), today)
		p.out.insert("STOCK", "ITEM_NO,STORE_CD,SITE_NO,LOC_NO,BIN,LOT,ON_HAND,RSVD,ON_ORD,MIN_QTY,MAX_QTY,ROP,ROQ,COUNT_DT,CRT_UTC,CHG_UTC",
			i.no, s.code, s.site, s.loc, fmt.Sprintf("%c-%02d-%d", 'A'+rune(p.IntN(6)), p.between(1, 24), p.between(1, 5)), nil,
			onHand, onHand*tenths(p.between(0, 3))/10, p.ordered(n, i), tenths(10*minimum), tenths(40*minimum), tenths(12*minimum), tenths(20*minimum),
			clock(counted), stamp(opening), stamp(counted))
	}
}

// ordered is what is on order of an item: all of it is shown in the first storeroom that has the item.
func (p *plant) ordered(n int, i item) tenths {
	if n >= itemCount {
		return 0
	}
	return p.onOrder[i.no]
}

func flag(yes bool) int {
	if yes {
		return 1
	}
	return 0
}
