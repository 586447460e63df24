package check

// networkFindings are what the checks of the group network find.
var networkFindings = []Finding{}
