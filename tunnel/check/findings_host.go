package check

// hostFindings are what the checks of the group host find.
var hostFindings = []Finding{}
