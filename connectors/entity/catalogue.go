package entity

// The status values of the entities that have one. `Other` stands for a native status that nobody mapped.
var (
	workOrderStatus = []string{"draft", "requested", "approved", "scheduled", "in_progress", "on_hold", "completed",
		"closed", "cancelled", "rejected", Other}
	requestStatus = []string{"draft", "requested", "approved", "in_progress", "on_hold", "completed", "closed",
		"cancelled", "rejected", Other}
	purchaseOrderStatus = []string{"draft", "pending_approval", "approved", "sent", "partially_received", "received",
		"invoiced", "closed", "cancelled", "rejected", Other}
	lineStatus    = []string{"open", "partially_received", "received", "closed", "cancelled", "rejected", Other}
	receiptStatus = []string{"draft", "posted", "inspected", "reversed", Other}
	assetStatus   = []string{"planned", "in_service", "standby", "out_of_service", "retired", Other}
	taskStatus    = []string{"open", "in_progress", "completed", "skipped", Other}
)

var envelope = []*Field{field("created_at", Datetime), field("updated_at", Datetime), field("deleted_at", Datetime)}

// address is how a place is written down, wherever a record has one.
func address(name string) *Field {
	return object(name, strings("name", "street", "city", "region", "postal_code", "country")...)
}

// catalogue is the one table of entities; it never changes at run time.
var catalogue = []*Entity{
	{"sites", "Sites", fields(
		strings("code", "name", "organisation"), address("address"), strings("timezone", "currency"), field("active", Boolean),
	)},
	{"locations", "Locations", fields(
		strings("code", "name", "type"), ref("parent_id", "locations"), ref("site_id", "sites"), field("active", Boolean),
	)},
	{"assets", "Assets", fields(
		strings("code", "name"), field("description", Text), status(assetStatus), strings("category"),
		ref("parent_id", "assets"), ref("location_id", "locations"), ref("site_id", "sites"),
		strings("manufacturer", "model", "serial_number", "criticality"),
		field("commissioned_at", Datetime), field("retired_at", Datetime), field("warranty_until", Date),
	)},
	{"work-orders", "Work orders", fields(
		strings("number", "title"), field("description", Text), status(workOrderStatus), strings("type", "priority"),
		ref("asset_id", "assets"), ref("location_id", "locations"), ref("site_id", "sites"), ref("parent_id", "work-orders"),
		ref("service_request_id", "service-requests"), ref("pm_plan_id", "pm-plans"),
		times("reported_at", "scheduled_start_at", "scheduled_end_at", "due_at", "actual_start_at", "actual_end_at", "completed_at"),
		strings("assignee", "team", "requested_by", "approved_by"),
		object("failure", strings("mode", "cause", "mechanism")...),
		field("downtime_minutes", Integer),
		list("tasks", fields(field("line", Integer), strings("title"), field("description", Text), status(taskStatus),
			decimals("estimated_hours"), times("completed_at"))...),
		list("labor", fields(field("line", Integer), strings("person", "craft"), times("started_at", "ended_at"),
			decimals("hours", "rate", "amount"))...),
		list("materials", fields(field("line", Integer), ref("item_id", "items"), strings("description"),
			decimals("quantity"), strings("unit"), decimals("unit_cost", "amount"))...),
		object("costs", fields(decimals("labor", "materials", "services", "total"), strings("currency"))...),
	)},
	{"service-requests", "Service requests", fields(
		strings("number", "title"), field("description", Text), status(requestStatus), strings("priority"),
		ref("asset_id", "assets"), ref("location_id", "locations"), ref("site_id", "sites"),
		strings("reported_by"), times("reported_at"), ref("work_order_id", "work-orders"),
	)},
	{"pm-plans", "Preventive maintenance plans", fields(
		strings("code", "title"), ref("asset_id", "assets"),
		object("trigger", fields(strings("type"), decimals("interval"), strings("unit", "meter_id"))...),
		times("next_due_at"), field("active", Boolean),
		list("tasks", fields(field("line", Integer), strings("title"), field("description", Text), decimals("estimated_hours"))...),
	)},
	{"items", "Items", fields(
		strings("number", "name"), field("description", Text),
		strings("type", "category", "unit", "manufacturer", "manufacturer_part_number"),
		decimals("unit_cost"), strings("currency"), field("stocked", Boolean), field("active", Boolean),
		list("vendors", fields(ref("vendor_id", "vendors"), strings("part_number"), decimals("price"), strings("currency"),
			field("lead_time_days", Integer), field("preferred", Boolean))...),
	)},
	{"inventory", "Inventory", fields(
		ref("item_id", "items"), ref("site_id", "sites"), ref("location_id", "locations"),
		strings("storeroom", "bin", "lot", "serial_number"),
		decimals("on_hand", "available", "reserved", "on_order", "minimum", "maximum", "reorder_point", "reorder_quantity"),
		strings("unit"), times("counted_at"),
	)},
	{"purchase-orders", "Purchase orders", fields(
		strings("number", "title"), status(purchaseOrderStatus), strings("type"), ref("vendor_id", "vendors"), ref("site_id", "sites"),
		strings("buyer", "requested_by"), times("ordered_at", "due_at", "approved_at"), strings("currency", "payment_terms"),
		address("ship_to"), address("bill_to"), decimals("net", "tax", "freight", "total"),
		list("lines", fields(field("line", Integer), ref("item_id", "items"), strings("description"), decimals("quantity"),
			strings("unit"), decimals("price", "amount"), times("due_at"), decimals("received_quantity"), status(lineStatus),
			ref("work_order_id", "work-orders"))...),
	)},
	{"goods-receipts", "Goods receipts", fields(
		strings("number"), status(receiptStatus), ref("purchase_order_id", "purchase-orders"), times("received_at"), strings("received_by"),
		list("lines", fields(field("line", Integer), field("purchase_order_line", Integer), ref("item_id", "items"), strings("description"),
			decimals("quantity", "accepted_quantity", "rejected_quantity"), strings("unit", "storeroom", "bin", "lot"))...),
	)},
	{"vendors", "Vendors", fields(
		strings("code", "name", "tax_id", "currency", "payment_terms"),
		list("addresses", append(strings("type"), address("").Fields...)...),
		list("contacts", strings("name", "role", "email", "phone")...),
		field("active", Boolean), field("blocked", Boolean),
	)},
	{"meter-readings", "Meter readings", fields(
		strings("meter_id"), ref("asset_id", "assets"), decimals("value"), strings("unit"), times("read_at"), strings("read_by", "type"),
	)},
}
