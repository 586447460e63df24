package tunnel

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"strings"
)

// inspector is a product that opens TLS and shows certificates of its own, told by the names in them.
type inspector struct {
	product string
	signs   []string // parts of an organisation, a unit or a common name, in small letters
}

// inspectors are the products that are known. None of the signs stands in the name of a public authority.
var inspectors = []inspector{
	{"Zscaler", []string{"zscaler"}},
	{"Netskope", []string{"netskope", "goskope"}},
	{"Palo Alto Networks", []string{"palo alto networks", "paloalto", "prisma access"}},
	{"Fortinet", []string{"fortinet", "fortigate", "fortisase"}},
	{"Symantec (Blue Coat)", []string{"blue coat", "bluecoat", "proxysg", "symantec web security", "cloud secure web gateway", "cloud swg"}},
	{"Cisco Umbrella", []string{"cisco umbrella", "opendns"}},
	{"Cisco Secure Web Appliance", []string{"ironport", "cisco web security", "cisco secure web", "cisco wsa", "cisco firepower"}},
	{"Sophos", []string{"sophos"}},
	{"Check Point", []string{"check point", "checkpoint"}},
	{"Skyhigh (McAfee)", []string{"mcafee", "skyhigh"}},
	{"Trellix", []string{"trellix", "fireeye"}},
	{"Forcepoint", []string{"forcepoint", "websense"}},
	{"Barracuda", []string{"barracuda"}},
	{"Trend Micro", []string{"trend micro", "trendmicro", "interscan"}},
	{"WatchGuard", []string{"watchguard", "fireware"}},
	{"SonicWall", []string{"sonicwall"}},
	{"Juniper", []string{"juniper networks", "juniper srx"}},
	{"Cato Networks", []string{"cato networks"}},
	{"Cloudflare Gateway", []string{"gateway ca - cloudflare", "cloudflare for teams", "cloudflare gateway"}},
	{"iboss", []string{"iboss"}},
	{"Menlo Security", []string{"menlo security"}},
	{"Smoothwall", []string{"smoothwall"}},
	{"ContentKeeper", []string{"contentkeeper"}},
	{"Lightspeed", []string{"lightspeed"}},
	{"Securly", []string{"securly"}},
	{"Stormshield", []string{"stormshield", "netasq"}},
	{"Clavister", []string{"clavister"}},
	{"Hillstone", []string{"hillstone"}},
	{"Sangfor", []string{"sangfor"}},
	{"F5", []string{"f5 networks", "f5 ssl orchestrator"}},
	{"A10 Networks", []string{"a10 networks"}},
	{"Untangle", []string{"untangle", "edge threat management"}},
	{"pfSense", []string{"pfsense"}},
	{"OPNsense", []string{"opnsense"}},
	{"Endian", []string{"endian firewall"}},
	{"squid", []string{"squid"}},
	{"mitmproxy", []string{"mitmproxy"}},
	{"Fiddler", []string{"fiddler"}},
	{"Charles", []string{"charles proxy"}},
	{"Burp", []string{"portswigger"}},
	{"ESET", []string{"eset ssl", "eset, spol", "eset spol"}},
	{"Kaspersky", []string{"kaspersky"}},
	{"Avast", []string{"avast"}},
	{"AVG", []string{"avg technologies", "avg web/mail", "avg web"}},
	{"Norton", []string{"norton web/mail", "norton 360"}},
	{"Bitdefender", []string{"bitdefender"}},
	{"G DATA", []string{"g data"}},
	{"Dr.Web", []string{"dr.web", "doctor web"}},
	{"AdGuard", []string{"adguard"}},
}

// InspectorOf names the product that issued a chain, by the names in it; empty: none that is known.
func InspectorOf(chain []*x509.Certificate) string {
	for _, certificate := range chain {
		// A leaf's own name is the relay's, or what an inspector copied from it.
		if product := inspectorIn(certificate.Issuer); product != "" {
			return product
		}
	}
	return ""
}

func inspectorIn(name pkix.Name) string {
	parts := append([]string{name.CommonName}, append(name.Organization, name.OrganizationalUnit...)...)
	text := strings.ToLower(strings.Join(parts, "\n"))
	for _, one := range inspectors {
		for _, sign := range one.signs {
			if strings.Contains(text, sign) {
				return one.product
			}
		}
	}
	return ""
}
