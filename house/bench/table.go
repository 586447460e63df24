package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// print writes the rows as one table and reports whether every goal was met. "one TLS" is Gantry where the outer TLS
// ends elsewhere, at a load balancer, so that the tunnel's own is the only one.
func print(out io.Writer, rows []row) bool {
	columns := []string{"direct", "frp", "limit", "gantry", "one TLS"}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(w, "row\t"+strings.Join(columns, "\t")+"\tgantry/limit\tgoal\t")
	all := true
	for _, r := range rows {
		cells := make([]string, 0, len(columns))
		for _, c := range columns {
			cells = append(cells, figure(r.values, c, r.unit))
		}
		_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\t\n", r.name, strings.Join(cells, "\t"), factor(r), verdict(r, &all))
	}
	_ = w.Flush()
	return all
}

func figure(values map[string]float64, name, unit string) string {
	v, there := values[name]
	if !there {
		return "-"
	}
	format := "%.0f"
	if v < 10 {
		format = "%.2f"
	}
	return strings.TrimSpace(fmt.Sprintf(format+" %s", v, unit))
}

func factor(r row) string {
	if r.ratio() == 0 {
		return "-"
	}
	return fmt.Sprintf("%.2f", r.ratio())
}

func verdict(r row, all *bool) string {
	if r.met == nil {
		return r.goal
	}
	if r.met(r.values) {
		return r.goal + "  met"
	}
	*all = false
	return r.goal + "  NOT MET"
}
