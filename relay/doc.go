// Package relay is the program in the cloud: New opens it, Run serves it until its context ends.
//
// It joins the parts and decides nothing itself: store (what is remembered), auth (who is calling), hub (which agents are
// there), api (the public interface), the tunnel's acceptor, and metrics. One listener serves the API and GET /tunnel,
// another the metrics. A stop has two stages: no new calls while those under way finish, then everything is closed.
//
// The package never imports the agent or a driver: what a system can do, its agent says.
package relay
