// Package installer makes the agent a service of the operating system, and takes it away again.
//
// An installation is a Plan: steps in order, each of which says in a line what it does (that is the dry run), finds out
// what is so already (so that a second run is a repair), and gives the way back (so that a failing step leaves
// the machine as it was). What lies where, and who may read it, is data: a Layout. The service manager stands behind
// the Service interface: systemd in the files *_linux.go, the Windows service manager in *_windows.go.
//
//	install    Installation.Check, then Installation.Plan and Plan.Run
//	uninstall  Removal, which is a Plan as well, and Plan.Clear: it goes on after a failure, from whatever state
//	status     Service.State
//
// The package copies the program, never moves it; never shadows the unit of a deb or rpm; never asks the network
// and never enrols by itself: the command line lends it an Enroller.
package installer
