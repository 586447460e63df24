package demoplant

import "fmt"

// area is a place in which machines stand.
type area struct {
	loc, site int
	code      string
}

// store is a storeroom.
type store struct {
	code      string
	loc, site int
}

type mill struct{ code, name, street, city, region, zip string }

var mills = []mill{
	{"HLM", "Hällmark Board Mill", "Bruksvägen 1", "Hällmark", "Värmland", "663 40"},
	{"NDF", "Nordfors Tissue Mill", "Älvgatan 14", "Nordfors", "Västernorrland", "872 94"},
	{"SVK", "Svartvik Pulp Mill", "Hamnvägen 7", "Svartvik", "Medelpad", "862 34"},
}

var buildings = []struct{ code, name string }{
	{"WY", "Wood yard"}, {"PL", "Pulp line"}, {"PM", "Paper machine hall"}, {"PH", "Power house"}, {"WT", "Water treatment"},
}

// sites makes the three mills, each with five buildings of two areas, two storerooms, an office and a workshop: sixty
// locations.
func (p *plant) sites() {
	loc := 0
	for i, m := range mills {
		site := i + 1
		made := opening.AddDate(0, 0, -200+site)
		p.out.insert("SITE", "SITE_NO,SITE_CD,NAME,ORG,STREET,CITY,REGION,ZIP,COUNTRY,TZ,CURR,ACT,CRT_UTC,CHG_UTC",
			site, m.code, m.name, "Hällmark Paper AB", m.street, m.city, m.region, m.zip, "SE", Timezone, "SEK", 1, stamp(made), stamp(made))
		add := func(code, name, kind string, parent int) int {
			loc++
			p.out.insert("LOCN", "LOC_NO,LOC_CD,NAME,LOC_TYPE,PARENT_NO,SITE_NO,ACT,CRT_UTC,CHG_UTC",
				loc, m.code+"-"+code, name, kind, number(parent), site, 1, stamp(made), stamp(p.changed(made)))
			return loc
		}
		root := add("00", m.name, "site", 0)
		for _, b := range buildings {
			building := add(b.code, b.name, "building", root)
			for n := 1; n <= 2; n++ {
				code := fmt.Sprintf("%s%d", b.code, n)
				p.areas = append(p.areas, area{add(code, fmt.Sprintf("%s, line %d", b.name, n), "area", building), site, m.code + "-" + code})
			}
		}
		for n := 1; n <= storesPerSite; n++ {
			code := fmt.Sprintf("ST%d", n)
			p.stores = append(p.stores, store{m.code + "-" + code, add(code, fmt.Sprintf("Storeroom %d", n), "storeroom", root), site})
		}
		add("WS", "Workshop", "workshop", root)
		add("OF", "Office", "office", root)
	}
}
