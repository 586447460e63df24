package adventureworks

import (
	"slices"
	"strings"
)

// table is one file of the data set and the table that it fills.
type table struct {
	file, name string
	columns    []string // in the order of the file; skip where the field is not loaded
}

// skip stands for a field that is not loaded: row GUIDs, and what the database computes itself.
const skip = "-"

func (t table) wanted() []string {
	return slices.DeleteFunc(slices.Clone(t.columns), func(c string) bool { return c == skip })
}

func columns(names string) []string { return strings.Fields(names) }

// tables are in the order of their references.
var tables = []table{
	{"UnitMeasure", "unitmeasure", columns("unitmeasurecode name modifieddate")},
	{"ProductCategory", "productcategory", columns("productcategoryid name - modifieddate")},
	{"ProductSubcategory", "productsubcategory", columns("productsubcategoryid productcategoryid name - modifieddate")},
	{"Location", "location", columns("locationid name costrate availability modifieddate")},
	{"ShipMethod", "shipmethod", columns("shipmethodid name shipbase shiprate - modifieddate")},
	{"Vendor", "vendor", columns("businessentityid accountnumber name creditrating preferredvendorstatus activeflag purchasingwebserviceurl modifieddate")},
	{"Product", "product", columns(`productid name productnumber makeflag finishedgoodsflag color safetystocklevel reorderpoint standardcost
		listprice size sizeunitmeasurecode weightunitmeasurecode weight daystomanufacture productline class style productsubcategoryid
		productmodelid sellstartdate sellenddate discontinueddate - modifieddate`)},
	{"ProductInventory", "productinventory", columns("productid locationid shelf bin quantity - modifieddate")},
	{"ProductVendor", "productvendor", columns(`productid businessentityid averageleadtime standardprice lastreceiptcost lastreceiptdate
		minorderqty maxorderqty onorderqty unitmeasurecode modifieddate`)},
	{"PurchaseOrderHeader", "purchaseorderheader", columns(`purchaseorderid revisionnumber status employeeid vendorid shipmethodid
		orderdate shipdate subtotal taxamt freight - modifieddate`)},
	{"PurchaseOrderDetail", "purchaseorderdetail", columns(`purchaseorderid purchaseorderdetailid duedate orderqty productid unitprice -
		receivedqty rejectedqty - modifieddate`)},
}
