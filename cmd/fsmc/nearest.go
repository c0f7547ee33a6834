package main

import "fmt"

// didYouMean is a question that names the known word nearest to the given one; it is empty if none is near.
func didYouMean(word string, known []string) string {
	best, fewest := "", len(word)/3+2
	for _, candidate := range known {
		if n := edits(word, candidate); n < fewest {
			best, fewest = candidate, n
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf("; did you mean %q?", best)
}

// edits is how many letters must be added, dropped or changed to make b of a (Levenshtein).
func edits(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(row[j]+1, row[j+1]+1, change)
		}
	}
	return row[len(b)]
}
