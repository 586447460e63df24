package demoplant

import (
	"fmt"
	"time"
)

// asset is a machine or a part of one.
type asset struct {
	no, loc, site int
	code, name    string
	kind          *kind
	top           bool
}

// assetStates are the native codes of table EQUIP.
var assetStates = []weighted[int]{{2, 86}, {3, 6}, {4, 4}, {9, 3}, {1, 1}}

// equipment makes the trees of machines: a system in each area, machines in the systems, parts in the machines.
func (p *plant) equipment() {
	for len(p.assets) < assetCount {
		a := p.areas[len(p.assets)%len(p.areas)]
		k := &kinds[p.IntN(len(kinds))]
		machine := p.machine(a, k, 0, k.name, "")
		for i, part := range k.parts {
			if len(p.assets) < assetCount {
				p.machine(a, k, machine, k.name+" "+part, fmt.Sprintf(".%d", i+1))
			}
		}
	}
}

// machine makes one asset and gives its number. A part has its machine's code with a suffix.
func (p *plant) machine(a area, k *kind, parent int, name, suffix string) int {
	no := len(p.assets) + 1
	code := fmt.Sprintf("%s-%s%04d", a.code, k.code, no)
	if parent != 0 {
		code = p.assets[parent-1].code + suffix
	}
	state := pickWeighted(p.dice, assetStates)
	commissioned := p.moment(opening.AddDate(-18, 0, 0), opening)
	var retired, warranty time.Time
	if state == 9 {
		retired = p.moment(opening, today)
	}
	if p.chance(40) {
		warranty = commissioned.AddDate(p.between(2, 5), 0, 0)
	}
	var drawing string
	if parent == 0 {
		drawing = fmt.Sprintf("D-%05d", 20000+7*no)
	}
	made := p.moment(opening.AddDate(0, 0, -150), opening)
	p.out.insert("EQUIP", "EQ_NO,EQ_CD,NAME,DESCR,STAT,CLASS,PARENT_NO,LOC_NO,SITE_NO,MFR,MODEL,SERIAL_NO,CRIT,COMM_DT,RETIRE_DT,WARR_DT,DRAWING,CRT_UTC,CHG_UTC",
		no, code, name, fmt.Sprintf("%s in %s", name, a.code), state, k.class, number(parent), a.loc, a.site,
		pick(p.dice, k.makers), fmt.Sprintf("%s-%d", k.code, 100*p.between(1, 9)), fmt.Sprintf("%07d", p.between(1_000_000, 9_999_999)),
		pickWeighted(p.dice, criticalities), clock(commissioned), clock(retired), date(warranty), text(drawing), stamp(made), stamp(p.changed(made)))
	p.assets = append(p.assets, asset{no, a.loc, a.site, code, name, k, parent == 0})
	return no
}

// readings makes the counters and gauges of the machines: each machine's running hours only grow.
func (p *plant) readings() {
	hours := map[int]tenths{}
	at := opening
	for no := 1; no <= readingCount; no++ {
		a := p.topAsset()
		at = at.Add(time.Duration(p.between(15, 25)) * time.Hour)
		value, unit, sort, meter := any(nil), "HUR", "counter", a.code+"/RH"
		if p.chance(70) {
			hours[a.no] += tenths(p.between(400, 9000))
			value = hours[a.no]
		} else {
			value, unit, sort, meter = tenths(p.between(180, 940)), "CEL", "gauge", a.code+"/TE"
		}
		read := time.Date(at.Year(), at.Month(), at.Day(), p.between(6, 17), p.between(0, 59), 0, 0, time.UTC)
		p.out.insert("METER_RDG", "RDG_NO,METER_CD,EQ_NO,VAL,UOM,READ_DT,READ_BY,RDG_TYPE,CRT_UTC,CHG_UTC",
			no, meter, a.no, value, unit, clock(read), p.worker(), sort, stamp(read), stamp(read))
	}
}

// topAsset draws a machine, not a part.
func (p *plant) topAsset() asset {
	for {
		if a := pick(p.dice, p.assets); a.top {
			return a
		}
	}
}
