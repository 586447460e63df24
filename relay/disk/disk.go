// Package disk tells how much room the relay's data folder has. It is for those who look, never for those who write: a full
// disk is what a write says.
package disk

// Bounds of free room, in bytes: below Low people should act, below Least the relay soon cannot write.
const (
	Low   = 1 << 30
	Least = 100 << 20
)
