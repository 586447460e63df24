//go:build race

package house

const raceDetector = true
