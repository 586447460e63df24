package check

// connectionFindings are what the checks of the group connections find.
var connectionFindings = []Finding{}
