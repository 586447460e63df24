// Package definition reads, merges, checks and compiles connector definitions: YAML files that map one product onto the
// canonical entities of package entity.
//
// # Layers
//
// A definition names the layers that it extends, by id; they merge in order: `base/…` → product → product at a version
// → the site's overlay. Maps merge member by member, lists whose members have an `id` merge by it, everything else is
// replaced; a null takes a member away. New members of a list come before those of the layer below, for in `errors` and
// `rules` the first match wins. Each layer counts once, however often it is extended. A layer whose metadata says
// `abstract: true` is no system of its own; a file whose metadata says `overlay: demo-plant` is laid over that system.
// The merged whole is validated against the JSON Schema (schema.json, published), and a fault names file, line and key.
// Anchors, aliases and merge keys of YAML are refused: layers say the same, and a small file stays small.
//
// # Format
//
//	apiVersion: connector/v1
//	metadata:
//	  id: demo-plant                # the system's id; base layers are base/…
//	  version: 1.0.0
//	  product: Gantry Demo Plant
//	  categories: [cmms, purchasing]
//	  tier: 1                       # connection credits
//	  proved: real                  # real: on the product itself; dialect: on another that speaks the same; shape: from the vendor's documents alone
//	  evidence: SQLite 3, cancelling excepted       # on what, and what of it was not
//	  extends: [base/sql, base/sql-sqlite]
//	driver: sql
//	dialect: sqlite
//	guide: |                        # how to get a login, for a person who is no technician
//	  …
//	login:                          # JSON Schema of an object; writeOnly members are credentials
//	  required: [path]
//	  properties: {path: {type: string, title: Database file}, timezone: {type: string, default: UTC}}
//	protocol: {…}                   # what a driver for many products has to know of this one: see package connectors/rest
//	check: {sql: "SELECT sqlite_version() AS version"}
//	limits: {concurrency: 4, rate: 20/s, timeout: 30s, page_size: 500, scan: 10000}
//	errors:                         # first match wins; `source` is what the driver said (connectors.Failure)
//	  - {id: password, when: "source.sqlstate == '28P01'", code: CREDENTIALS_EXPIRED, scope: connection, message: "…", advice: "…"}
//	entities:
//	  purchase-orders:
//	    key: [{column: po_id, type: integer}]     # parts of the record's id; a bare string is {column: …, type: string}
//	    version: {column: rev, type: integer}     # makes the etag
//	    lock: {sql: "SELECT po_id FROM po WHERE po_id = :po_id FOR UPDATE"}  # run first in every write's transaction
//	    operations:
//	      list: {sql: "SELECT po_id, … FROM po", keyset: [{column: modified, type: datetime}, {column: po_id, type: integer}], filters: [status, vendor_id, number], scan: [title]}
//	      get:  {sql: "SELECT … WHERE po_id = :po_id"}   # optional: without it, list filtered by the key
//	      create:
//	        class: keyed
//	        idempotency: {find: {sql: "SELECT po_id FROM po WHERE ext_ref = :idempotency_key"}}
//	        tx:
//	          - {sql: "INSERT INTO po (vendor, ext_ref) VALUES (:vendor_id, :idempotency_key) RETURNING po_id"}
//	          - {for_each: lines, sql: "INSERT INTO po_line (po_id, line, item) VALUES (:po_id, :index, :item_id)"}
//	      update:
//	        tx:
//	          - {sql: "UPDATE po SET vendor = :vendor_id, rev = rev + 1 WHERE po_id = :po_id", affects: 1}
//	          - {when: "has(input.lines)", sql: "DELETE FROM po_line WHERE po_id = :po_id"}
//	          - {for_each: lines, sql: "INSERT …"}       # runs only where the input has lines
//	      delete: {mode: status, action: cancel}          # hard | soft | status; hard and soft have tx or sql
//	    children:
//	      lines: {sql: "SELECT po_id, line_no, … FROM po_line", parent: po_id, order: [{column: line_no, type: integer}]}
//	      notes: {sql: "SELECT note FROM po_notes(:po_id)", order: [note]}  # without `parent`: read once for each record, by its key
//	    actions:
//	      approve: {title: Approve, from: [draft, pending_approval], to: approved, sql: "UPDATE po SET status = 2, rev = rev + 1 WHERE po_id = :po_id AND status = 1", affects: 1}
//	      adjust:  {input: {quantity: {type: decimal, required: true}}, sql: "…"}
//	    # `filters` are compared by the system, `scan` by the engine, which reads up to limits.scan rows a page for it;
//	    # modified_after and created_after work wherever updated_at and created_at come from a column
//	    fields:                                     # names and types are those of package entity; others need `type`
//	      number:     {from: po_no}
//	      vendor_id:  {from: vendor, native: integer, write: [create, update], required: [create]}
//	      status:     {from: status, enum: {1: pending_approval, 2: approved}, labels: {1: Pending}}
//	      ordered_at: {from: order_date, native: datetime, tz: "${login.timezone}", write: [create]}
//	      title:      {value: "${'Order ' + row.po_no}"}    # computed, read-only
//	      ship_to:    {fields: {street: {from: ship_street}, city: {from: ship_city}}}
//	      # members of a writable object or list are writable too, unless one of them says `write` itself
//	      lines:      {from: lines, write: [create, update], fields: {line: {from: line_no}, item_id: {from: item, native: integer, write: [create, update]}}}
//	      updated_at: {from: modified, native: datetime}
//	    custom_fields:
//	      colour: {from: color, type: string}
//	      shelf_life: {discovered: Shelf Life, native: integer, type: integer, write: [update], filterable: true}
//	    discover: {table: po}                       # where the records' further columns are found: the driver's own
//	    rules:
//	      - {id: locked, on: [update, delete], when: "current.status.value in ['approved', 'closed']", deny: RECORD_LOCKED, message: "Approved orders cannot be changed.", advice: "…"}
//
// `inbox: {table: gantry_inbox}` in a create, update or action makes its class transactional: the engine's key goes
// into that table in the same transaction as the effect. The statements come from the base layer's `inbox` section:
// insert (:idempotency_key, :entity, :operation, :now; a key that is there is DUPLICATE), find (:idempotency_key; returns
// record_id) and finish (:idempotency_key, :record_id); `{table}` in them is the operation's table. The classes keyed and
// lookup need `idempotency.find`, which returns the key columns; lookup may say with `lag` how long the system hides an
// effect.
//
// Whose key is it? In the inbox :idempotency_key is the connection's id and a digest of the caller's key, so that two
// connections to one database never take each other's writes for their own. In every other statement it is the caller's key as it
// came: it stands in a column of the system, where people look for it, and it is the system that makes it unique. Two
// connections that write with one key there mean one record. Who does not want that gives each caller a prefix of its own.
//
// # Columns that no statement names
//
// A custom field with `discovered` in the place of `from` comes from a column that a plant added to its system. No statement names it;
// the driver carries it beside the definition's own columns (connectors.Extender): it composes what it needs from the name that
// the system itself gave, and from `discover`, whose members for all entities stand in a base layer and those of an entity with the
// entity. sql: `table`, with a row for each record, and `key`, where the table calls the key's columns otherwise ({po_id: ID}). A value is written
// by a statement of its own, behind the definition's and in their transaction, where the input has it. rest, odata and jsonrpc: nothing but an
// object, which may be empty; values are members of a body where the definition has put `$custom: true` (`"$custom?": true` leaves out
// those that are null). files and soap carry none yet. Members of lists have no discovered columns.
//
// # What a success looks like
//
// An answer without an error is not believed. `expect: "result.id > 0"` in a step says how its answer looks when it
// did what it should; `result` has the columns that the step returned. And after every write the record is read: what the caller sent
// must stand in it, the status of an action with `to` must be that, and what was deleted hard must be gone. A difference is
// SYSTEM_ERROR, with the fields that differ; the outcome is `rejected` where the write was undone or changed nothing at
// all, else `unknown`. `read_back: false` in an operation turns that off, where a system is known to change what it is given. An action with
// `leaves: true` takes the record out of what the system shows, as a decision does that an inbox waited for: nothing is read after it, so that a step must
// say what it expects, and the answer is the record as it was before, in the status `to`, with no action left. A step with
// `reads: true` changes nothing: it looks up what later steps need.
//
// # Native types
//
// `native` says what a column holds, where the canonical type does not: integer, decimal, float, string, boolean,
// date, datetime (wall clock in `tz`, UTC unless said), instant (with a zone), text_datetime (text in UTC or `tz`, with `layout`
// as package time's, "2006-01-02 15:04:05" unless said), text_date.
//
// # Parameters of statements
//
// Only bound, never spliced. Key columns by their name; every writable field by its name, as a native value (on update:
// the current value where the input has none); in `for_each` the member's fields, `:index` from 1, and the outer
// ones (members of an object joined to it: :ship_to_city); the version column by its name, as it was read; columns
// returned by earlier steps (the key's always, others where the step says `returns: [column]`); `:idempotency_key`, `:now` (in the form of a step's `now` native type, datetime
// unless said), `:login_username` and the other settings as `:login_…`; `vars: {name: "${cel}"}` of an operation, or of a step.
//
// # Expressions
//
// CEL with a cost limit and its extensions for strings, lists and math. `when`: `input` (the body), `current` (the canonical record, null on create), `source` in the
// error map. `"${…}"` in a string: `row` (native), `login` (settings; credentials never enter). A rule is judged on the
// row read and locked in the same transaction as the write.
package definition
