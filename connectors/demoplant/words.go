package demoplant

// Made-up people and companies, and the words of a paper mill.

var firstNames = []string{"Anna", "Björn", "Karin", "Lars", "Ingrid", "Olof", "Maja", "Nils", "Sara", "Emil", "Åsa", "Johan", "Elin", "Mats", "Petra"}

var lastNames = []string{"Lindqvist", "Bergström", "Öhman", "Sandell", "Norén", "Hedlund"}

var teams = []string{"mechanical", "electrical", "instrumentation", "lubrication", "contractors"}

var crafts = []string{"mechanic", "electrician", "instrument technician", "welder", "millwright"}

var priorities = []weighted[string]{{"low", 25}, {"medium", 50}, {"high", 20}, {"urgent", 5}}

// kind is a kind of machine, its parts, and what goes wrong with it.
type kind struct {
	code, name, class string
	makers            []string
	parts             []string
	faults            []fault
}

// fault is a failure in the words of ISO 14224: mode, mechanism and cause.
type fault struct{ title, mode, mechanism, cause string }

var kinds = []kind{
	{"PU", "Centrifugal pump", "pump", []string{"Strömvall", "Hydron", "Kaiser & Voll"}, []string{"Motor", "Coupling", "Seal unit"}, []fault{
		{"leaks at the shaft seal", "external leakage", "wear", "expected wear and tear"},
		{"vibrates above alarm", "vibration", "misalignment", "installation failure"},
		{"does not reach pressure", "low output", "cavitation", "off-design operation"}}},
	{"MO", "Drive motor", "electric motor", []string{"Voltek", "Norrmotor"}, []string{"Fan", "Bearing DE", "Bearing NDE"}, []fault{
		{"trips on overload", "spurious stop", "overheating", "maintenance error"},
		{"bearing is hot", "overheating", "lack of lubrication", "maintenance error"}}},
	{"CV", "Conveyor", "conveyor", []string{"Transporta", "Bandteknik"}, []string{"Gearbox", "Belt", "Idler set"}, []fault{
		{"belt runs off centre", "structural deficiency", "misalignment", "improper operation"},
		{"does not start", "fail to start", "electrical failure", "management error"}}},
	{"VA", "Control valve", "valve", []string{"Fluxor", "Hydron"}, []string{"Actuator", "Positioner"}, []fault{
		{"sticks", "fail to regulate", "contamination", "off-design operation"},
		{"passes when closed", "internal leakage", "erosion", "expected wear and tear"}}},
	{"RO", "Drying cylinder", "roll", []string{"Papyra", "Kaiser & Voll"}, []string{"Steam joint", "Bearing", "Doctor blade"}, []fault{
		{"steam joint leaks", "external leakage", "wear", "expected wear and tear"},
		{"doctor blade is worn", "abnormal instrument reading", "wear", "expected wear and tear"}}},
	{"HX", "Heat exchanger", "heat exchanger", []string{"Alfors", "Strömvall"}, []string{"Plate pack", "Gasket set"}, []fault{
		{"loses duty", "insufficient heat transfer", "fouling", "off-design operation"}}},
	{"TX", "Level transmitter", "instrument", []string{"Mätek", "Voltek"}, []string{"Sensor"}, []fault{
		{"reads zero", "no signal", "faulty signal", "expected wear and tear"},
		{"drifts", "erratic output", "out of adjustment", "maintenance error"}}},
}

var criticalities = []weighted[string]{{"A", 15}, {"B", 45}, {"C", 40}}

// group is a group of parts in the storeroom. Prices are in cents.
type group struct {
	code, name, category, unit string
	low, high                  int
	sizes                      []string
}

var groups = []group{
	{"BRG", "Deep groove ball bearing", "bearings", "C62", 4_500, 320_000, []string{"6204", "6206", "6308", "6312", "6316", "22218"}},
	{"SEA", "Mechanical seal", "seals", "C62", 38_000, 910_000, []string{"30 mm", "45 mm", "60 mm", "75 mm"}},
	{"BLT", "V-belt", "drives", "C62", 6_000, 48_000, []string{"SPA 1250", "SPB 2000", "SPC 3150"}},
	{"FLT", "Filter element", "filters", "C62", 9_000, 160_000, []string{"5 µm", "10 µm", "25 µm"}},
	{"GSK", "Gasket sheet", "gaskets", "MTK", 12_000, 75_000, []string{"1.5 mm", "2 mm", "3 mm"}},
	{"OIL", "Gear oil", "lubricants", "LTR", 3_500, 14_000, []string{"VG 150", "VG 220", "VG 320"}},
	{"CBL", "Control cable", "electrical", "MTR", 900, 9_500, []string{"3 × 1.5", "7 × 1.5", "12 × 2.5"}},
	{"SCR", "Hexagon screw", "fasteners", "C62", 80, 2_600, []string{"M8 × 40", "M12 × 60", "M16 × 80", "M20 × 100"}},
	{"SEN", "Proximity sensor", "instruments", "C62", 28_000, 140_000, []string{"M12 PNP", "M18 PNP", "M30 NPN"}},
	{"CHM", "Defoamer", "chemicals", "KGM", 1_800, 6_500, []string{"silicone", "oil based"}},
}

var vendorStems = []string{"Nordlager", "Kullagerhuset", "Tätningsteknik", "Elgross", "Värmlands Verktyg", "Pumpservice", "Instrumentbolaget",
	"Smörjcentralen", "Industriskruv", "Filterhuset", "Transmission", "Bruksmekano", "Kemilager", "Processdelar", "Montage", "Svetsgruppen"}

var vendorEnds = []weighted[string]{{" AB", 70}, {" i Karlstad AB", 10}, {" Nord AB", 10}, {" & Co KB", 10}}

var cities = []struct{ city, zip string }{
	{"Karlstad", "652 26"}, {"Sundsvall", "852 30"}, {"Gävle", "803 20"}, {"Örebro", "702 23"}, {"Västerås", "722 13"}, {"Göteborg", "411 04"},
}

var streets = []string{"Industrigatan", "Verkstadsgatan", "Lagervägen", "Hamngatan", "Maskinvägen", "Fabriksgatan"}

// people joins names, each pair once.
func people() []string {
	out := make([]string, 0, len(firstNames))
	for i, first := range firstNames {
		out = append(out, first+" "+lastNames[i%len(lastNames)])
	}
	return out
}
