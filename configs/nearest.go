package configs

import "strings"

// Nearest gives the known word that a mistyped one most likely means, or nothing. Words are near that differ by a third
// of their letters at most (Levenshtein), case and the choice of `-` or `_` aside.
func Nearest(word string, known []string) string {
	best, distance := "", len(word)/3+1
	for _, candidate := range known {
		if d := edits(fold(word), fold(candidate), distance); d < distance {
			best, distance = candidate, d
		}
	}
	return best
}

func fold(s string) string { return strings.ReplaceAll(strings.ToLower(s), "-", "_") }

// edits is the Levenshtein distance; limit where it is that much or more.
func edits(a, b string, limit int) int {
	if diff := len(a) - len(b); diff >= limit || -diff >= limit {
		return limit
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return min(row[len(b)], limit)
}
