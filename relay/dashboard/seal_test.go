package dashboard

import (
	"encoding/json"
	"testing"

	"gantry/connectors/seal"
)

// TestBrowserSeals runs the script that seals a login, in Node, and opens what it made as an agent does.
func TestBrowserSeals(t *testing.T) {
	private, err := seal.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	public := private.Public().String()
	settings := `{"tls":true,"port":5432,"host":"db.plant.local","ä":"ü"}`
	credentials := `{"password":"s3cr€t"}`
	script := `import {seal} from "./static/seal.mjs";
		const [key, place, credentials] = JSON.parse(process.argv[1]);
		console.log(JSON.stringify(await seal(key, place, credentials)));`
	input := `[{"id": "` + private.Public().ID() + `", "public_key": "` + public + `"},
		{"organisation": "org_1", "site": "site_2", "system": "generic-sql", "settings": ` + settings + `}, ` + credentials + `]`
	out := node(t, script, input)
	sealed, err := seal.Parse(out)
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	place := seal.Place{Organisation: "org_1", Site: "site_2", System: "generic-sql", Settings: json.RawMessage(settings)}
	plain, err := private.Open(sealed, place)
	if err != nil || string(plain) != credentials {
		t.Errorf("opens as %q, %v", plain, err)
	}
	place.Settings = json.RawMessage(`{"host":"evil.example"}`)
	if _, err := private.Open(sealed, place); err == nil {
		t.Error("it opens for another host")
	}
}
