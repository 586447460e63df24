package policy

import (
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gantry/configs"
	"gantry/connectors/wire"
	"gantry/tunnel/fault"
)

// compiled makes a policy from YAML, as IT writes it.
func compiled(t *testing.T, document string, own Own) *Policy {
	t.Helper()
	config, err := configs.ParseAgent("agent.yaml", []byte("policy: "+document))
	if err != nil {
		t.Fatal(err)
	}
	p, err := New(config.Policy, own)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// wantDenied checks the whole of a refusal: code, hop, scope and the literal command.
func wantDenied(t *testing.T, err error, scope fault.Scope, command string) *fault.Error {
	t.Helper()
	f, ok := errors.AsType[*fault.Error](err)
	if !ok {
		t.Fatalf("got %v, want POLICY_DENIED", err)
	}
	if f.Code != fault.PolicyDenied || f.Hop != fault.HopPolicy || f.Scope != scope {
		t.Errorf("got %s at %s of scope %s, want scope %s", f.Code, f.Hop, f.Scope, scope)
	}
	if !strings.HasSuffix(f.Advice, ": gantry-agent policy "+command) {
		t.Errorf("advice %q, want the command %q", f.Advice, command)
	}
	return f
}

func TestTheZeroPolicyAllowsNothingButReads(t *testing.T) {
	p := new(Live).Current()
	wantDenied(t, p.Target("db", 5432, netip.Addr{}), fault.ScopeConnection, "allow target db:5432")
	wantDenied(t, p.Call(Connection{}, "items", "create"), fault.ScopeSite, "allow writes")
	if err := p.Call(Connection{}, "items", "list"); err != nil {
		t.Error(err)
	}
}

func TestTarget(t *testing.T) {
	none := netip.Addr{}
	for _, test := range []struct {
		name, targets, host string
		port                int
		ip                  netip.Addr
		command             string // empty: allowed
	}{
		{"a name before it is looked up", "db.plant.local:5432", "db.plant.local", 5432, none, ""},
		{"a name and a plant address", "db.plant.local:5432", "db.plant.local", 5432, netip.MustParseAddr("10.1.2.3"), ""},
		{"another port", "db.plant.local:5432", "db.plant.local", 5433, none, "allow target db.plant.local:5433"},
		{"another name", "db.plant.local:5432", "Erp.plant.local.", 5432, none, "allow target erp.plant.local:5432"},
		{"a name that leads to this machine", "'*:5432'", "db.plant.local", 5432, netip.MustParseAddr("127.0.0.1"), "allow target 127.0.0.1:5432"},
		{"a name that leads to metadata", "'*:80'", "evil", 80, netip.MustParseAddr("169.254.169.254"), "allow target 169.254.169.254:80"},
		{"a name that leads to mapped metadata", "'*:80'", "evil", 80, netip.MustParseAddr("::ffff:169.254.169.254"), "allow target 169.254.169.254:80"},
		{"a name that leads to the IPv6 loopback", "'*:80'", "evil", 80, netip.MustParseAddr("::1"), "allow target '[::1]:80'"},
		{"a network as wide as everything does not open this machine", "'0.0.0.0/0:80'", "127.0.0.1", 80, none, "allow target 127.0.0.1:80"},
		{"everything never means everywhere", "'*:80', '0.0.0.0/0:80'", "0.0.0.0", 80, none, "allow target 0.0.0.0:80"},
		{"this machine, said so", "127.0.0.1:5432", "127.0.0.1", 5432, none, ""},
		{"a name and this machine, both said", "'db:1', '127.0.0.1:1'", "db", 1, netip.MustParseAddr("127.0.0.1"), ""},
		{"localhost", "localhost:5432", "localhost", 5432, netip.MustParseAddr("::1"), ""},
		{"localhost that leads elsewhere reserved", "localhost:80", "localhost", 80, netip.MustParseAddr("169.254.169.254"), "allow target 169.254.169.254:80"},
		{"a link-local network, said so", "'169.254.7.0/24:502'", "169.254.7.9", 502, none, ""},
		{"a name may lead into an allowed network", "10.1.2.0/24:1433", "erp", 1433, none, ""},
		{"a name that leads into it", "10.1.2.0/24:1433", "erp", 1433, netip.MustParseAddr("10.1.2.9"), ""},
		{"a name that leads out of it", "10.1.2.0/24:1433", "erp", 1433, netip.MustParseAddr("10.1.3.9"), "allow target erp:1433"},
		{"an address of no pattern", "10.1.2.0/24:1433", "10.1.3.9", 1433, none, "allow target 10.1.3.9:1433"},
		{"a host that would be a command", "db:1", "x;rm -rf $HOME", 1, none, "allow target 'x;rm -rf $home:1'"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if runtime.GOOS == "windows" && strings.Contains(test.command, "'") {
				t.Skip("quoted for a Unix shell")
			}
			err := compiled(t, "{targets: ["+test.targets+"]}", Own{}).Target(test.host, test.port, test.ip)
			if test.command == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			wantDenied(t, err, fault.ScopeConnection, test.command)
		})
	}
}

func TestCall(t *testing.T) {
	erp := Connection{ID: "con_1", Name: "erp", System: "demo-plant"}
	for _, test := range []struct {
		name, policy, entity, operation string
		scope                           fault.Scope
		command                         string
	}{
		{"reads are on", "{}", "items", "get", "", ""},
		{"writes are off", "{}", "items", "approve", fault.ScopeSite, "allow writes"},
		{"writes on", "{writes: true}", "items", "approve", "", ""},
		{"another system", "{systems: [other]}", "items", "list", fault.ScopeConnection, "allow system demo-plant"},
		{"a denied system", "{deny_systems: [demo-plant]}", "items", "list", fault.ScopeConnection, "allow system demo-plant"},
		{"another entity", "{entities: [vendors]}", "items", "list", fault.ScopeEntity, "allow entity items"},
		{"a denied entity", "{deny_entities: [items]}", "items", "list", fault.ScopeEntity, "allow entity items"},
		{"not on the list", "{writes: true, operations: [list, 'items:create']}", "items", "update", fault.ScopeOperation, "allow operation items:update"},
		{"on the list", "{writes: true, operations: [list, 'items:create']}", "items", "create", "", ""},
		{"on the list, and writes are off", "{operations: ['items:create']}", "items", "create", fault.ScopeSite, "allow writes"},
		{"denied for every entity", "{writes: true, deny_operations: ['*:approve']}", "purchase-orders", "approve", fault.ScopeOperation, "allow operation approve"},
		{"its own rules by name", "{writes: true, connections: {erp: {operations: [list]}}}", "items", "create", fault.ScopeOperation, "allow operation items:create --connection erp"},
		{"its own rules by id", "{connections: {con_1: {entities: [vendors]}}}", "items", "list", fault.ScopeEntity, "allow entity items --connection con_1"},
		{"its own rules never widen", "{entities: [vendors], connections: {erp: {entities: [items]}}}", "items", "list", fault.ScopeEntity, "allow entity items"},
		{"another's rules", "{connections: {wms: {entities: [vendors]}}}", "items", "list", "", ""},
		{"the widest refusal comes first", "{systems: [other], entities: [x]}", "items", "create", fault.ScopeConnection, "allow system demo-plant"},
	} {
		t.Run(test.name, func(t *testing.T) {
			err := compiled(t, test.policy, Own{}).Call(erp, test.entity, test.operation)
			if test.command == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			f := wantDenied(t, err, test.scope, test.command)
			if want := map[bool]fault.Outcome{true: "", false: fault.NotSent}[reads(test.operation)]; f.Outcome != want {
				t.Errorf("outcome %q, want %q", f.Outcome, want)
			}
			if f.Entity != test.entity || f.Operation != test.operation || f.ConnectionID != "con_1" {
				t.Errorf("the refusal does not say what it is about: %+v", f)
			}
		})
	}
}

func TestPath(t *testing.T) {
	folder, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	data, secret, own := filepath.Join(folder, "data"), filepath.Join(folder, "secret"), filepath.Join(folder, "data", "agent")
	for _, d := range []string{data, secret, own} {
		if err := os.Mkdir(d, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for link, to := range map[string]string{
		filepath.Join(data, "out"): secret, filepath.Join(data, "state"): own, filepath.Join(folder, "alias"): data,
		filepath.Join(data, "nowhere"): filepath.Join(folder, "gone"),
	} {
		if err := os.Symlink(to, link); err != nil {
			t.Skip(err)
		}
	}
	config := filepath.Join(data, "agent.yaml")
	p := compiled(t, "{paths: ["+filepath.Join(folder, "alias")+"]}", Own{StateDir: own, ConfigFile: config})

	for _, path := range []string{data, filepath.Join(data, "plant.db"), filepath.Join(folder, "alias", "new", "plant.db"), filepath.Join(data, "out", "..", "x")} {
		if got, err := p.Path(path); err != nil || strings.Contains(got, "alias") {
			t.Errorf("%s: %s, %v", path, got, err)
		}
	}
	wantDenied(t, second(p.Path(filepath.Join(secret, "key"))), fault.ScopeConnection, "allow path "+secret)
	wantDenied(t, second(p.Path(filepath.Join(data, "..", "secret", "key"))), fault.ScopeConnection, "allow path "+secret)
	wantDenied(t, second(p.Path(filepath.Join(data, "out", "key"))), fault.ScopeConnection, "allow path "+secret)
	wantDenied(t, second(p.Path(filepath.Join(data, "nowhere"))), fault.ScopeConnection, "allow path "+data)
	wantDenied(t, second(p.Path("/etc")), fault.ScopeConnection, "allow path /etc")
	for _, path := range []string{config, own, filepath.Join(own, "agent.db"), filepath.Join(data, "state", "agent.db")} {
		if _, err := p.Path(path); !fault.Is(err, fault.PolicyDenied) || strings.Contains(err.(*fault.Error).Advice, "policy allow") {
			t.Errorf("the agent's own %s: %v", path, err)
		}
	}
	if _, err := p.Path("data/plant.db"); !fault.Is(err, fault.ValidationFailed) {
		t.Errorf("a relative path: %v", err)
	}
}

func second[T any](_ T, err error) error { return err }

func TestCaps(t *testing.T) {
	p := compiled(t, "{max_rows: 100, rate: 10/s, connections: {a: {max_rows: 50, rate: 1200/m, concurrency: 3}, b: {max_rows: 500, rate: 60/m}}}", Own{})
	for _, test := range []struct {
		name              string
		rows, concurrency int
		perSecond         float64
	}{{"a", 50, 3, 10}, {"b", 100, 0, 1}, {"c", 100, 0, 10}} {
		c := Connection{Name: test.name}
		if p.MaxRows(c) != test.rows || p.Concurrency(c) != test.concurrency || p.Rate(c).PerSecond() != test.perSecond {
			t.Errorf("%s: %d rows, %d at once, %v a second", test.name, p.MaxRows(c), p.Concurrency(c), p.Rate(c).PerSecond())
		}
	}
}

func TestFieldsAreNeitherShownNorTaken(t *testing.T) {
	p := compiled(t, "{deny_fields: [purchase-orders.lines.price, '*.tax_id'], connections: {erp: {deny_fields: [vendors.bank]}}}", Own{})
	erp := Connection{Name: "erp"}
	wantDenied(t, p.Field(Connection{}, "vendors", "tax_id"), fault.ScopeOperation, "allow field "+word("*.tax_id"))
	wantDenied(t, p.Field(erp, "vendors", "bank.iban"), fault.ScopeOperation, "allow field vendors.bank --connection erp")
	wantDenied(t, p.Field(Connection{}, "items", "remote_data"), fault.ScopeOperation, "allow field "+word("*.tax_id"))
	for _, err := range []error{p.Field(Connection{}, "vendors", "bank"), p.Field(erp, "purchase-orders", "price"), p.Field(erp, "vendors", "tax_identity")} {
		if err != nil {
			t.Error(err)
		}
	}
	for _, test := range []struct{ record, want string }{
		{`{"id":"1","tax_id":"x","lines":[{"line":1,"price":"5"},{"price":"6"}]}`, `{"id":"1","lines":[{"line":1},{}]}`},
		{`{"amount":1.10,"name":"<a&b>","remote_data":{"TAX":1}}`, `{"amount":1.10,"name":"<a&b>"}`},
		{`{"lines":null,"price":"5"}`, `{"lines":null,"price":"5"}`},
	} {
		got, err := p.Fields(erp, "purchase-orders").Redact([]byte(test.record))
		if err != nil || string(got) != test.want {
			t.Errorf("%s: %s, %v", test.record, got, err)
		}
	}
	if _, err := p.Fields(erp, "vendors").Redact([]byte(`[{"tax_id":1}]`)); err == nil {
		t.Error("what is no record was let through")
	}
	if f := compiled(t, "{}", Own{}).Fields(erp, "vendors"); !f.None() {
		t.Error("nothing is denied, and something is taken out")
	}
}

func TestCapabilities(t *testing.T) {
	yes, no := wire.Verdict{Allowed: true}, wire.Verdict{DeniedBy: wire.ByDefinition, Reason: "The system cannot."}
	could := wire.Capabilities{Entities: map[string]wire.EntityCapabilities{"vendors": {
		Operations: map[string]wire.OperationCapability{"list": {Verdict: yes}, "create": {Verdict: yes, Class: "keyed"}, "delete": {Verdict: no}},
		Actions:    map[string]wire.ActionCapability{"close": {OperationCapability: wire.OperationCapability{Verdict: yes}}},
		Fields: map[string]wire.FieldCapability{
			"name": {Type: "string", Filterable: true}, "tax_id": {Type: "string", Filterable: true, Writable: []string{"create"}},
			"address": {Type: "object", Fields: map[string]wire.FieldCapability{"city": {Type: "string"}, "street": {Type: "string"}}},
		},
		Filters: []string{"name", "tax_id", "modified_after"},
	}}}
	p := compiled(t, "{deny_operations: [close], writes: true, deny_fields: [vendors.tax_id, vendors.address.street, vendors.updated_at], connections: {erp: {deny_operations: [create]}}}", Own{})
	got := p.Capabilities(Connection{Name: "erp"}, could).Entities["vendors"]

	byPolicy := func(command, reason string) wire.Verdict {
		return wire.Verdict{DeniedBy: wire.ByPolicy, Reason: reason, Advice: "Ask the plant's IT to run on the agent's host: gantry-agent policy " + command}
	}
	want := wire.EntityCapabilities{
		Operations: map[string]wire.OperationCapability{
			"list": {Verdict: yes}, "delete": {Verdict: no},
			"create": {Verdict: byPolicy("allow operation create --connection erp", "The plant's policy does not allow create on vendors on the connection erp."), Class: "keyed"},
		},
		Actions: map[string]wire.ActionCapability{"close": {OperationCapability: wire.OperationCapability{
			Verdict: byPolicy("allow operation close", "The plant's policy does not allow close on vendors.")}}},
		Fields: map[string]wire.FieldCapability{
			"name": {Type: "string", Filterable: true}, "tax_id": {Type: "string", DeniedBy: wire.ByPolicy},
			"address": {Type: "object", Fields: map[string]wire.FieldCapability{"city": {Type: "string"}, "street": {Type: "string", DeniedBy: wire.ByPolicy}}},
		},
		Filters: []string{"name"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("capabilities (-want +got):\n%s", diff)
	}
	if !could.Entities["vendors"].Operations["create"].Allowed || could.Entities["vendors"].Fields["tax_id"].DeniedBy != "" || len(could.Entities["vendors"].Filters) != 3 {
		t.Error("the argument was changed")
	}
}

func TestABadPolicyKeepsTheOneInForce(t *testing.T) {
	var live Live
	if err := live.Replace(configs.Policy{Targets: []string{"db:1"}}, Own{}); err != nil {
		t.Fatal(err)
	}
	if err := live.Replace(configs.Policy{Targets: []string{"nonsense"}}, Own{}); err == nil {
		t.Error("nonsense compiled")
	}
	if err := live.Current().Target("db", 1, netip.Addr{}); err != nil {
		t.Error(err)
	}
}

func BenchmarkCall(b *testing.B) {
	p, err := New(configs.Policy{Writes: true, Rules: configs.Rules{Operations: []string{"list", "*:create"}}, Connections: map[string]configs.Rules{"erp": {Entities: []string{"items"}}}}, Own{})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if err := p.Call(Connection{ID: "con_1", Name: "erp"}, "items", "create"); err != nil {
			b.Fatal(err)
		}
	}
}

func FuzzRedact(f *testing.F) {
	f.Add([]byte(`{"a":{"b":[{"c":1}]},"tax_id":2}`))
	f.Add([]byte(`{"a":[[{"b":{"tax_id":1}}]]}`))
	config := configs.Policy{Rules: configs.Rules{DenyFields: []string{"*.tax_id", "*.a.b.c"}}}
	p, err := New(config, Own{})
	if err != nil {
		f.Fatal(err)
	}
	fields := p.Fields(Connection{}, "items")
	f.Fuzz(func(t *testing.T, record []byte) {
		cut, err := fields.Redact(record)
		if err != nil {
			return
		}
		again, err := fields.Redact(cut)
		if err != nil || string(again) != string(cut) {
			t.Errorf("%s was cut to %s, and that to %s: %v", record, cut, again, err)
		}
	})
}

// TestQuiet: spans that follow one another are one, a connection's own ones add to those of all, and the refusal tells how
// long they last.
func TestQuiet(t *testing.T) {
	p, err := New(configs.Policy{
		Rules:       configs.Rules{QuietHours: []string{"22:00-24:00", "00:00-04:00"}},
		Connections: map[string]configs.Rules{"erp": {QuietHours: []string{"03:00-05:30", "12:00-12:30"}}},
	}, Own{})
	if err != nil {
		t.Fatal(err)
	}
	at := func(day, hour int) time.Time { return time.Date(2026, time.June, day, hour, 0, 0, 0, time.Local) }
	for _, tt := range []struct {
		name       string
		now, until time.Time
	}{
		{"wms", at(10, 23), at(11, 4)}, {"wms", at(10, 12), time.Time{}},
		{"erp", at(10, 23), at(11, 5).Add(30 * time.Minute)}, {"erp", at(10, 12), at(10, 12).Add(30 * time.Minute)},
	} {
		c := Connection{Name: tt.name}
		if got := p.Quiet(c, tt.now); !got.Equal(tt.until) {
			t.Errorf("%s at %s: until %s, want %s", tt.name, tt.now, got, tt.until)
		}
		f := fault.From(p.Hours(c, tt.now), fault.HopPolicy)
		if quiet := !tt.until.IsZero(); quiet != (f != nil) || quiet && (f.Code != fault.PolicyDenied || f.RetryAfter != tt.until.Sub(tt.now) || f.Outcome != fault.NotSent) {
			t.Errorf("%s at %s: %v", tt.name, tt.now, f)
		}
	}
}

func TestOverlay(t *testing.T) {
	for _, test := range []struct {
		name, policy, entity string
		scope                fault.Scope
		command              string
	}{
		{"off", "{}", "items", fault.ScopeSite, "allow overlays"},
		{"on", "{overlays: true}", "items", "", ""},
		{"an entity that is denied", "{overlays: true, deny_entities: [items]}", "items", fault.ScopeEntity, "allow entity items"},
		{"a system that is denied", "{overlays: true, deny_systems: [erp]}", "items", fault.ScopeConnection, "allow system erp"},
		{"a field that is denied", "{overlays: true, deny_fields: [items.unit_cost]}", "items", fault.ScopeOperation, "allow field items.unit_cost"},
		{"a field of all", "{overlays: true, deny_fields: ['*.tax_id']}", "items", fault.ScopeOperation, "allow field '*.tax_id'"},
		{"a field of another", "{overlays: true, deny_fields: [vendors.tax_id]}", "items", "", ""},
		{"a custom field", "{overlays: true, deny_fields: [items.custom_fields.gate]}", "items", "", ""},
		{"its own rules", "{overlays: true, connections: {erp: {deny_fields: [items.unit_cost]}}}", "items", fault.ScopeOperation, "allow field items.unit_cost --connection erp"},
	} {
		t.Run(test.name, func(t *testing.T) {
			err := compiled(t, test.policy, Own{}).Overlay(Connection{ID: "con_1", Name: "erp", System: "erp"}, test.entity)
			if test.command == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if f := wantDenied(t, err, test.scope, test.command); f.Outcome != fault.NotSent || f.ConnectionID != "con_1" {
				t.Errorf("%+v", f)
			}
		})
	}
}
