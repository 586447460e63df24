// The logins: those of `users` last a week, those of `shifts` ten seconds, so that they end in the middle of things.
migrate((app) => {
  app.save(new Collection({
    type: "auth", name: "shifts", passwordAuth: { enabled: true, identityFields: ["email"] }, authToken: { duration: 10 },
  }))
  const person = (collection, email, password) => {
    const r = new Record(app.findCollectionByNameOrId(collection))
    r.set("email", email)
    r.set("password", password)
    r.set("verified", true)
    app.save(r)
  }
  person("users", "agent@example.com", "Agent-pw-2026")
  person("users", "locked@example.com", "Locked-pw-2026")
  person("shifts", "agent@example.com", "Agent-pw-2026")

  const settings = app.settings()
  settings.rateLimits.enabled = true
  settings.rateLimits.rules = [{ label: "GET /gantry/limited", maxRequests: 1, duration: 5, audience: "" }]
  app.save(settings)
}, () => {})
