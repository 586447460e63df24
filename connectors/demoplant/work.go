package demoplant

import (
	"fmt"
	"time"
)

// The native codes of table WKORD.
const (
	workDraft      = 10
	workRequested  = 20
	workApproved   = 30
	workScheduled  = 40
	workInProgress = 50
	workOnHold     = 55
	workCompleted  = 60
	workClosed     = 70
	workCancelled  = 90
)

// openWork are the states of work of the last two months, oldWork those of all that is older.
var (
	openWork = []weighted[int]{{workDraft, 5}, {workRequested, 15}, {workApproved, 20}, {workScheduled, 25}, {workInProgress, 15}, {workOnHold, 5}, {workCompleted, 15}}
	oldWork  = []weighted[int]{{workCompleted, 8}, {workClosed, 87}, {workCancelled, 5}}
)

// plans makes the preventive maintenance: by calendar or by running hours.
func (p *plant) plans() {
	for no := 1; no <= planCount; no++ {
		a := p.topAsset()
		made := p.moment(opening, opening.AddDate(0, 2, 0))
		trigger, interval, unit, meter := "calendar", pick(p.dice, []int{7, 14, 30, 90, 180, 365}), "DAY", ""
		if p.chance(30) {
			trigger, interval, unit, meter = "meter", 500*p.between(1, 16), "HUR", a.code+"/RH"
		}
		next := p.moment(today, today.AddDate(0, 6, 0))
		p.out.insert("PMPLAN", "PM_NO,PM_CD,TITLE,EQ_NO,TRIG_TYPE,TRIG_INT,TRIG_UOM,METER_CD,NEXT_DT,ACT,CRT_UTC,CHG_UTC",
			no, fmt.Sprintf("PM-%04d", no), "Service "+a.name, a.no, trigger, fmt.Sprint(interval), unit, text(meter), clock(next),
			flag(!p.chance(8)), stamp(made), stamp(p.changed(made)))
		for line, task := range serviceTasks[:p.between(2, len(serviceTasks))] {
			p.out.insert("PM_TASK", "PM_NO,LINE,TITLE,DESCR,EST_HRS", no, line+1, task, task+" of "+a.name, tenths(p.between(2, 30)))
		}
	}
}

var serviceTasks = []string{"Lock out and tag out", "Inspect", "Clean", "Lubricate", "Measure and note", "Test run"}

// requestsAndWork makes work orders in the order of time. One in five answers a service request, two in five come from
// a plan, and the rest were written by hand.
func (p *plant) requestsAndWork() {
	request := 0
	span := today.Sub(opening) / workCount
	for no := 1; no <= workCount; no++ {
		day := opening.Add(time.Duration(no-1) * span)
		reported := time.Date(day.Year(), day.Month(), day.Day(), p.between(6, 17), p.between(0, 59), 0, 0, time.UTC)
		a := pick(p.dice, p.assets)
		w := work{no: no, asset: a, reported: reported, kind: "corrective", fault: pick(p.dice, a.kind.faults), by: p.worker()}
		switch {
		case no%5 == 0:
			request++
			w.request = request
		case no%5 < 3:
			w.kind, w.plan = "preventive", p.between(1, planCount)
		}
		p.work(&w)
		if w.request != 0 {
			p.request(w)
		}
	}
}

// work is one work order while it is made.
type work struct {
	no, request, plan int
	asset             asset
	reported          time.Time
	kind, by          string
	fault             fault
	state             int
}

func (w work) title() string {
	if w.plan != 0 {
		return "Service " + w.asset.name
	}
	return w.asset.name + " " + w.fault.title
}

func (p *plant) work(w *work) {
	states := oldWork
	if w.reported.After(today.AddDate(0, -2, 0)) {
		states = openWork
	}
	w.state = pickWeighted(p.dice, states)
	start := w.reported.AddDate(0, 0, p.between(1, 14))
	end := start.Add(time.Duration(p.between(1, 6)) * time.Hour)
	var started, ended time.Time
	if w.state >= workInProgress && w.state != workCancelled {
		started = start
	}
	if w.state == workCompleted || w.state == workClosed {
		ended = end
	}
	var approver string
	if w.state >= workApproved {
		approver = p.worker()
	}
	mode, cause, mechanism, down := w.fault.mode, w.fault.cause, w.fault.mechanism, 0
	if w.plan != 0 {
		mode, cause, mechanism = "", "", ""
	} else if !ended.IsZero() {
		down = p.between(0, 480)
	}
	var permit string
	if p.chance(15) {
		permit = fmt.Sprintf("HW-%05d", 30_000+w.no)
	}
	labor, materials := p.labor(started, ended), p.materials(started)
	laborCost, materialCost := sum(labor), sum(materials)
	p.out.insert("WKORD", "WO_NO,WO_CD,TITLE,DESCR,STAT,WO_TYPE,PRIO,EQ_NO,LOC_NO,SITE_NO,SR_NO,PM_NO,RPT_DT,SCH_START,SCH_END,DUE_DT,ACT_START,ACT_END,COMP_DT,"+
		"ASSIGNEE,TEAM,RQST_BY,APPR_BY,FAIL_MODE,FAIL_CAUSE,FAIL_MECH,DOWN_MIN,LAB_COST,MAT_COST,SVC_COST,TOT_COST,CURR,PERMIT,CRT_UTC,CHG_UTC",
		w.no, fmt.Sprintf("WO-%06d", 100_000+w.no), w.title(), fmt.Sprintf("%s. Reported by %s.", w.title(), w.by), w.state, w.kind,
		pickWeighted(p.dice, priorities), w.asset.no, w.asset.loc, w.asset.site, number(w.request), number(w.plan),
		clock(w.reported), clock(start), clock(end), clock(end.AddDate(0, 0, 3)), clock(started), clock(ended), clock(ended),
		p.worker(), pick(p.dice, teams), w.by, text(approver), text(mode), text(cause), text(mechanism), down,
		laborCost, materialCost, cents(0), laborCost+materialCost, "SEK", text(permit), stamp(w.reported), stamp(p.changed(w.reported)))
	p.tasks(*w, ended)
	for n, l := range labor {
		p.out.insert("WO_LABOR", "WO_NO,LINE,PERSON,CRAFT,START_DT,END_DT,HRS,RATE,AMT",
			w.no, n+1, p.worker(), pick(p.dice, crafts), clock(started), clock(started.Add(time.Duration(l.quantity)*6*time.Minute)), l.quantity, l.price, l.amount())
	}
	for n, l := range materials {
		p.out.insert("WO_MATL", "WO_NO,LINE,ITEM_NO,DESCR,QTY,UOM,UNIT_COST,AMT",
			w.no, n+1, l.item.no, l.item.name, l.quantity, l.item.unit, l.price, l.amount())
	}
}

// line is a quantity of something at a price.
type line struct {
	item     item
	quantity tenths
	price    cents
}

func (l line) amount() cents { return l.quantity.times(l.price) }

func sum(lines []line) cents {
	var total cents
	for _, l := range lines {
		total += l.amount()
	}
	return total
}

// labor is who worked on an order that was begun.
func (p *plant) labor(started, ended time.Time) []line {
	if started.IsZero() {
		return nil
	}
	most := tenths(60)
	if !ended.IsZero() {
		most = tenths(ended.Sub(started).Hours() * 10)
	}
	var lines []line
	for range p.between(1, 2) {
		lines = append(lines, line{quantity: tenths(p.between(5, int(most))), price: cents(100 * p.between(480, 790))})
	}
	return lines
}

// materials is what was taken from the storeroom for an order that was begun.
func (p *plant) materials(started time.Time) []line {
	if started.IsZero() {
		return nil
	}
	var lines []line
	for range p.between(0, 3) {
		i := pick(p.dice, p.items)
		lines = append(lines, line{i, tenths(10 * p.between(1, 4)), i.cost})
	}
	return lines
}

// The native codes of table WO_TASK.
const (
	taskOpen = 1
	taskDone = 3
)

func (p *plant) tasks(w work, ended time.Time) {
	names := []string{"Make safe", "Repair", "Test run"}
	if w.plan != 0 {
		names = serviceTasks[:p.between(2, len(serviceTasks))]
	}
	state := taskOpen
	if !ended.IsZero() {
		state = taskDone
	}
	for n, name := range names {
		p.out.insert("WO_TASK", "WO_NO,LINE,TITLE,DESCR,STAT,EST_HRS,COMP_DT",
			w.no, n+1, name, nil, state, tenths(p.between(2, 20)), clock(ended))
	}
}

// requestState follows from the state of the work that answers it.
var requestState = map[int]int{workRequested: 20, workDraft: 20, workApproved: 30, workScheduled: 30, workInProgress: 50,
	workOnHold: 50, workCompleted: 60, workClosed: 70, workCancelled: 95}

func (p *plant) request(w work) {
	p.out.insert("SVCREQ", "SR_NO,SR_CD,TITLE,DESCR,STAT,PRIO,EQ_NO,LOC_NO,SITE_NO,RPT_BY,RPT_DT,WO_NO,CRT_UTC,CHG_UTC",
		w.request, fmt.Sprintf("SR-%05d", 10_000+w.request), w.asset.name+" "+w.fault.title, "Please look at "+w.asset.code+".",
		requestState[w.state], pickWeighted(p.dice, priorities), w.asset.no, w.asset.loc, w.asset.site, w.by, clock(w.reported), w.no,
		stamp(w.reported), stamp(p.changed(w.reported)))
}
