//! What the index is and who may change it. Owns all SQL; knows no HTTP. The rooms, from the ground up:

// The ground: words and values.
pub mod clock; //          Time, Clock
pub mod measure; //        what is counted for those who watch the index
pub mod ids; //            identifiers as types
pub mod rates; //          rates as settings write them
pub mod egress; //         where requests of our own may go
pub mod config; //         TABLE 5: settings
pub mod denied; //         the words of a no
pub mod refused; //        Denied, Invalid, Limited, Fault
pub mod resources; //      what actions are done to, besides ids
// The tools.
pub mod lane; //           the bounded place for slow hashes
pub mod prepared; //       pages kept ready
pub mod blobs; //          bytes by digest
pub mod db; //             one Tx over two engines
pub mod mail; //           handing one mail over
pub mod breach; //         lists of stolen passwords
pub mod places; //         places of networks, names of browsers
pub mod env; //            what every room is handed
pub mod open; //           from settings to an Env
// The rules.
pub mod policy; //         TABLE 1: who may do what; the permit
pub mod epochs; //         whether a restored index is open yet
pub mod queue; //          TABLE 4: jobs
pub mod events; //         TABLE 3: the audit trail
pub mod act; //            the ways in: act, view, may, housekeeping
pub mod limits; //         TABLE 6: rate limits
// The verbs.
pub mod cases; //          incidents: opened, closed
pub mod accounts; //       accounts, addresses, causes
pub mod holds; //          changes that wait: proposed, vetoed, done
pub mod signin; //         attempts, factors, sessions
pub mod tokens; //         API tokens
pub mod projects; //       names, roles, uploads, listings
pub mod containment; //    "this was not me", alarms, and the way back
pub mod restoring; //      as it stood at a time
// What stands on all of it.
pub mod notices; //        who is told what, and in which words
pub mod check; //          the database against the blobs
pub mod backup; //         all rows and bytes, out and in
pub mod authentication; // from what was presented to an Actor
pub mod work; //           the bodies of all jobs

pub use env::Env;
pub use refused::{Invalid, Refused};
