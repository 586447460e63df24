// Package trial tries a definition on a live system, and says check by check whether it keeps what it promises: paging
// without loss or repeat, filters that filter, records that read alike one by one and in lists, refusals that are the right ones.
//
// It is what the author of a definition runs, and what a customer runs for a system that nobody else could prove. It goes
// through the engine as every call does. It only reads, and makes dry runs, unless the caller gives bodies of records that may be
// created. It never keeps a record, and shows no more of one than its id and the names of its fields.
package trial
