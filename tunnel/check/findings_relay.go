package check

// relayFindings are what the checks of the group relay find.
var relayFindings = []Finding{}
