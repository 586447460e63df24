package reference

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// curl writes an operation as a command for a shell, which knows $RELAY, $TOKEN and the ids.
func (d *document) curl(o *operation) string {
	o = d.model(o)
	lines := []string{"curl"}
	if o.Method != "GET" {
		lines[0] += " -X " + o.Method
	}
	lines[0] += fmt.Sprintf(` "$RELAY%s%s"`, d.Servers[0].URL, filled(o)+query(o))
	if len(o.Security) > 0 {
		lines = append(lines, `-H "Authorization: Bearer $TOKEN"`)
	}
	for _, p := range o.Parameters {
		if p.In == "header" && (p.Name == "Idempotency-Key" || p.Name == "If-Match" && o.Method == "PATCH") {
			lines = append(lines, fmt.Sprintf("-H '%s: %v'", p.Name, p.Example))
		}
	}
	if o.Body != nil && (o.Body.Required || len(o.Body.Content["application/json"].Example) > 0) {
		lines = append(lines, "-H 'Content-Type: application/json'")
		if raw := o.Body.Content["application/json"].Example; len(raw) > 0 {
			var pretty bytes.Buffer
			_ = json.Indent(&pretty, raw, "  ", "  ") // the document is JSON
			lines = append(lines, "-d '"+strings.ReplaceAll(pretty.String(), "'", `'\''`)+"'")
		}
	}
	return strings.Join(lines, " \\\n  ")
}

func query(o *operation) string {
	switch {
	case o.Entity == "list":
		return "?limit=20"
	case o.ID == "audit.list":
		return "?last=20"
	}
	return ""
}

// filled is the path with what a shell knows in the place of ids: $CONNECTION.
func filled(o *operation) string {
	segments := strings.Split(o.Path, "/")
	for i, segment := range segments {
		if !strings.HasPrefix(segment, "{") {
			continue
		}
		switch {
		case segment == "{action}":
			segments[i] = "approve"
		case segment == "{entity}":
			segments[i] = modelEntity
		case o.Entity != "":
			segments[i] = "4012"
		default:
			name := strings.TrimSuffix(segments[i-1], "ies") + "y"
			if name == segments[i-1]+"y" {
				name = strings.TrimSuffix(segments[i-1], "s")
			}
			segments[i] = "$" + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
		}
	}
	return strings.Join(segments, "/")
}
