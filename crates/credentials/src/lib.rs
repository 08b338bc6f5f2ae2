//! Secrets and proofs as pure functions.
//!
//! Every function takes the clock, the randomness and the keys it uses as
//! arguments and returns a plain value. There is no I/O, no SQL, no HTTP and no
//! async here; the `index` stores what these functions return and the server
//! carries it. The Argon2 functions are slow on purpose: call them where
//! blocking is allowed.

pub mod caveat;
pub mod entropy;
pub mod keys;
pub mod link;
pub mod macaroon;
pub mod merkle;
pub mod password;
pub mod recovery_code;
pub mod sealing;
pub mod secret;
pub mod short_code;
pub mod signed_call;
mod stretch;
pub mod totp;
