//! What the index is and who may change it. Owns all SQL; knows no HTTP. The rooms, from the ground up:

pub mod act; //            the ways in: act, view, may, housekeeping
pub mod blobs; //          bytes by digest
pub mod check; //          the database against the blobs
pub mod clock; //          Time, Clock
pub mod config; //         TABLE 5: settings
pub mod db; //             one Tx over two engines
pub mod env; //            what every room is handed
pub mod events; //         TABLE 3: the audit trail
pub mod ids; //            identifiers as types
pub mod lane; //           the bounded place for slow hashes
pub mod limits; //         TABLE 6: rate limits
pub mod mail; //           handing one mail over
pub mod open; //           from settings to an Env
pub mod policy; //         TABLE 1: who may do what; the permit
pub mod prepared; //       pages kept ready
pub mod queue; //          TABLE 4: jobs
pub mod rates; //          rates as settings write them
pub mod refused; //        Denied, Invalid, Limited, Fault
pub mod resources; //      what actions are done to, besides ids

pub mod accounts; //       accounts, addresses, causes
pub mod authentication;
pub mod projects; //       names, roles, uploads, listings
pub mod signin; //         attempts, factors, sessions
pub mod tokens; //         API tokens // from what was presented to an Actor

pub mod notices; //        who is told what, and in which words

pub mod work; //           the bodies of all jobs

pub use env::Env;
pub use refused::{Invalid, Refused};
