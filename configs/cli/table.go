package cli

import (
	"regexp"
	"strings"
	"unicode/utf8"
)

// Columns is how wide an answer may be: any terminal shows it, and so does a mail.
const Columns = 80

// gap stands between two columns; narrow is the least that a wrapped last column must have to be read.
const (
	gap    = 2
	narrow = 24
)

// Table prints rows under their titles, in columns that align and fit. Columns that do not fit beside the others go onto
// a second line, indented; the last one wraps at its words. Nothing is cut off, and a column without a value is not shown.
func (f *Frame) Table(titles []string, rows [][]string) {
	f.Rows("", filled(append([][]string{titles}, rows...)))
}

// filled leaves out the columns in which no row below the titles has a value.
func filled(rows [][]string) [][]string {
	widths := measure(rows[1:])
	kept := make([][]string, len(rows))
	for i, row := range rows {
		for column, cell := range row {
			if column < len(widths) && widths[column] > 0 {
				kept[i] = append(kept[i], cell)
			}
		}
	}
	return kept
}

// AnswerTable prints the document with --json, and otherwise the table, or none where it has no row.
func (f *Frame) AnswerTable(document any, none string, titles []string, rows [][]string) {
	switch {
	case f.JSON:
		f.PrintJSON(document)
	case len(rows) == 0:
		f.Print("%s", none)
	default:
		f.Table(titles, rows)
	}
}

// Rows prints rows in columns that align and fit, each behind an indent, as Table does without titles: pairs of a name
// and its value, above all.
func (f *Frame) Rows(indent string, rows [][]string) {
	for _, line := range arrange(rows, Columns-len(indent)) {
		f.Print("%s", strings.TrimRight(indent+line, " "))
	}
}

// arrange lays rows out as lines.
func arrange(rows [][]string, columns int) []string {
	widths := measure(rows)
	breaks, last := fold(rows, widths, columns)
	var lines []string
	for _, row := range rows {
		for i, first := range breaks {
			end := len(widths)
			if i+1 < len(breaks) {
				end = breaks[i+1]
			}
			indent := 0
			if i > 0 {
				indent = gap
			}
			lines = append(lines, layLine(row, widths, first, end, indent, last)...)
		}
	}
	return lines
}

// measure gives each column's width.
func measure(rows [][]string) []int {
	var widths []int
	for _, row := range rows {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], width(cell))
		}
	}
	return widths
}

// fold says with which columns the lines of a row begin, and how wide the last column may be.
func fold(rows [][]string, widths []int, columns int) (breaks []int, last int) {
	breaks = []int{0}
	at := 0
	for i, w := range widths {
		room := columns - at
		final := i == len(widths)-1
		fits := w <= room || final && room >= narrow && longestWord(rows, i) <= room
		if !fits && at > 0 && !(len(breaks) > 1 && at == gap) {
			breaks = append(breaks, i)
			at = gap
			room = columns - at
		}
		if final {
			last = room
		}
		at += w + gap
	}
	return breaks, last
}

// layLine lays the columns from first to end of a row; the last column of all may take more lines.
func layLine(row []string, widths []int, first, end, indent, last int) []string {
	var b strings.Builder
	b.WriteString(strings.Repeat(" ", indent))
	for i := first; i < min(end, len(row)); i++ {
		if i < len(widths)-1 {
			b.WriteString(row[i] + strings.Repeat(" ", widths[i]-width(row[i])+gap))
			continue
		}
		if row[i] == "" && strings.TrimSpace(b.String()) == "" {
			return nil
		}
		hang := strings.Repeat(" ", width(b.String()))
		wrapped := wrap(row[i], last)
		lines := []string{b.String() + wrapped[0]}
		for _, more := range wrapped[1:] {
			lines = append(lines, hang+more)
		}
		return lines
	}
	if text := strings.TrimRight(b.String(), " "); text != "" {
		return []string{text}
	}
	return nil
}

func longestWord(rows [][]string, column int) int {
	longest := 0
	for _, row := range rows {
		if column < len(row) {
			for word := range strings.FieldsSeq(row[column]) {
				longest = max(longest, width(word))
			}
		}
	}
	return longest
}

// wrap breaks a text between words into lines of at most that many columns; a longer word keeps a line for itself. Line
// breaks of the text stay.
func wrap(text string, columns int) []string {
	var lines []string
	for paragraph := range strings.SplitSeq(text, "\n") {
		line := ""
		for word := range strings.SplitSeq(paragraph, " ") {
			switch {
			case line == "":
				line = word
			case width(line)+1+width(word) <= columns:
				line += " " + word
			default:
				lines = append(lines, line)
				line = word
			}
		}
		lines = append(lines, line)
	}
	return lines
}

var escapeSequence = regexp.MustCompile("\x1b\\[[0-9;]*m")

// width counts what a text takes on a terminal, colours aside.
func width(text string) int {
	return utf8.RuneCountInString(escapeSequence.ReplaceAllString(text, ""))
}
