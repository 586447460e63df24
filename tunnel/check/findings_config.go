package check

// configFindings are what the checks of the group config find.
var configFindings = []Finding{}
