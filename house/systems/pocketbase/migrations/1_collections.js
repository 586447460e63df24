// The collections that the definition pocketbase reads and writes, with the rules that its guide asks for, and the suite's parts.
migrate((app) => {
  const signedIn = '@request.auth.id != ""'
  // a change may say which version it is of; another one meanwhile lets the rule fail
  const unchanged = signedIn + ' && (@request.headers.if_match = "" || @request.headers.if_match = updated)'
  const stamps = [
    { type: "autodate", name: "created", onCreate: true },
    { type: "autodate", name: "updated", onCreate: true, onUpdate: true },
  ]
  const make = (name, fields, more) => {
    const c = new Collection(Object.assign({
      type: "base", name: name, listRule: signedIn, viewRule: signedIn, createRule: signedIn, updateRule: unchanged, deleteRule: unchanged,
      fields: fields.concat(stamps),
    }, more))
    app.save(c)
    return app.findCollectionByNameOrId(name).id
  }
  const text = (name, more) => Object.assign({ type: "text", name: name }, more)
  const date = (name) => ({ type: "date", name: name })
  const refersTo = (name, id) => ({ type: "relation", name: name, collectionId: id, maxSelect: 1 })
  const chosen = (name, values) => ({ type: "select", name: name, values: values, maxSelect: 1, required: true })
  const once = (table, column) => "CREATE UNIQUE INDEX idx_" + table + "_" + column + " ON " + table + " (" + column + ") WHERE " + column + " != ''"

  const vendors = make("vendors", [
    text("code", { required: true }), text("name", { required: true }), text("currency"), { type: "bool", name: "blocked" },
  ], { indexes: [once("vendors", "code")] })
  make("items", [
    text("number", { required: true }), text("name", { required: true }), text("unit"), text("unit_cost"), text("currency"),
  ], { indexes: [once("items", "number")] })
  const assets = make("assets", [
    text("code", { required: true }), text("name", { required: true }), text("manufacturer"), text("serial_number"), date("commissioned_at"),
  ], { indexes: [once("assets", "code")] })
  make("work_orders", [
    text("number", { autogeneratePattern: "WO-[0-9]{8}" }), text("title", { required: true, max: 80 }), text("description"),
    chosen("status", ["requested", "approved", "in_progress", "completed", "cancelled"]), refersTo("asset", assets), date("due_at"), text("external_ref"),
  ], { indexes: [once("work_orders", "external_ref")] })
  make("purchase_orders", [
    text("number", { autogeneratePattern: "PO-[0-9]{8}" }), text("title", { max: 80 }), chosen("status", ["draft", "sent", "closed", "cancelled"]),
    Object.assign(refersTo("vendor", vendors), { required: true }), date("ordered_at"), date("due_at"), text("currency"),
    { type: "json", name: "lines", required: true }, text("external_ref"),
  ], { indexes: [once("purchase_orders", "external_ref")] })
  make("secrets", [text("name")], { listRule: null, viewRule: null, createRule: null, updateRule: null, deleteRule: null })
  make("parts", [
    { type: "text", name: "id", primaryKey: true, system: true, required: true, min: 1, max: 15, pattern: "^[a-z0-9]+$", autogeneratePattern: "[a-z0-9]{15}" },
    { type: "number", name: "part_id" }, text("name"), text("price"), text("category"), date("modified"),
  ])
}, () => {})
