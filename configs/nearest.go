package configs

import "strings"

// Nearest gives the known word that a mistyped one most likely means, or nothing. Words are near that differ by a third
// of their letters at most, case and the choice of `-` or `_` aside.
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

// edits is the Levenshtein distance, with a swap of neighbours as one edit; limit where it is that much or more.
func edits(a, b string, limit int) int {
	if diff := len(a) - len(b); diff >= limit || -diff >= limit {
		return limit
	}
	before, above, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before, above, row = above, row, before
		row[0] = i + 1
		for j := range len(b) {
			cost := above[j]
			if a[i] != b[j] {
				cost++
			}
			row[j+1] = min(cost, row[j]+1, above[j+1]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
	}
	return min(row[len(b)], limit)
}
