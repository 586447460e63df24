// The first data: made of numbers, so that it is the same everywhere.
migrate((app) => {
  const put = (collection, values) => {
    const r = new Record(app.findCollectionByNameOrId(collection))
    for (const name in values) r.set(name, values[name])
    app.save(r)
    return r.id
  }
  const two = (n) => String(n).padStart(2, "0")
  const vendors = [], items = [], assets = []
  for (let i = 1; i <= 12; i++) {
    vendors.push(put("vendors", { code: "V" + (10000 + i), name: "Lieferant Größe " + i + (i % 4 ? "" : " & Söhne's"), currency: i % 3 ? "EUR" : "USD", blocked: i === 7 }))
  }
  for (let i = 1; i <= 30; i++) {
    items.push(put("items", { number: "IT-" + (100 + i), name: "Bearing " + i, unit: i % 5 ? "C62" : "KGM", unit_cost: i + "." + two((i * 7) % 100), currency: "EUR" }))
  }
  for (let i = 1; i <= 25; i++) {
    assets.push(put("assets", { code: "A-" + (500 + i), name: "Pump " + i, manufacturer: i % 2 ? "KSB" : "Grundfos", serial_number: "SN" + i * 97, commissioned_at: "20" + two(i) + "-03-29 00:00:00.000Z" }))
  }
  const states = ["requested", "approved", "in_progress", "completed", "cancelled"]
  for (let i = 1; i <= 41; i++) {
    put("work_orders", { title: "Inspect pump " + i, description: "", status: states[i % 5], asset: assets[i % 25], due_at: "2026-07-" + two(1 + i % 28) + " 06:30:00.000Z", external_ref: "seed-" + i })
  }
  for (let i = 1; i <= 7; i++) {
    put("purchase_orders", {
      title: "Spare parts " + i, status: i % 2 ? "draft" : "sent", vendor: vendors[i], ordered_at: "2026-06-" + two(i) + " 08:00:00.000Z", currency: "EUR",
      lines: [1, 2].map((n) => ({ line: n, item: items[i + n], description: "", quantity: String(i * n), unit: "C62", price: i + ".35" })), external_ref: "seed-" + i,
    })
  }
}, () => {})
