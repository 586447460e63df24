// What the driver's suite asks of a system beside its data: something slow, something large, something that is limited.
routerAdd("GET", "/gantry/slow", (e) => { sleep(20000); return e.json(200, { items: [{ one: 1 }] }) })

routerAdd("GET", "/gantry/many", (e) => {
  const page = parseInt(e.request.url.query().get("page")), size = parseInt(e.request.url.query().get("perPage"))
  const items = []
  for (let i = (page - 1) * size; i < Math.min(page * size, 1000000); i++) items.push('{"i":' + i + "}")
  return e.blob(200, "application/json", '{"items":[' + items.join(",") + "]}")
})

routerAdd("GET", "/gantry/limited", (e) => e.json(200, { items: [{ one: 1 }] }))

routerAdd("GET", "/gantry/version", (e) => e.json(200, { version: "0.36.0" }), $apis.requireAuth())
