package definition

// lint finds what the schema cannot say.
func lint(d *Definition) Problems { return nil }
