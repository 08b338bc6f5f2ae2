//! Property tests try the same sequences everywhere, so that what is red once is red again.
//!
//! `STRONGROOM_PROPTEST_SEED=N` tries others, `STRONGROOM_PROPTEST_CASES=N` tries so many of them.

use proptest::test_runner::{Config, RngSeed, TestRunner};

const SEED: &str = "STRONGROOM_PROPTEST_SEED";
const CASES: &str = "STRONGROOM_PROPTEST_CASES";

fn setting<T: std::str::FromStr>(name: &str) -> Option<T> {
    let value = std::env::var(name).ok()?;
    Some(value.parse().unwrap_or_else(|_| panic!("{name} must be a number, not {value}")))
}

/// How many cases are tried, and what tries them. Each of a failure's `shrinks` is a case as well.
pub fn runner(cases: u32, shrinks: u32) -> (u32, TestRunner) {
    let (cases, seed) = (setting(CASES).unwrap_or(cases), setting(SEED).unwrap_or(0));
    // Shown by the test's harness where the test fails.
    println!("{SEED}={seed} {CASES}={cases}");
    let config =
        Config { cases, rng_seed: RngSeed::Fixed(seed), max_shrink_iters: shrinks, failure_persistence: None, ..Config::default() };
    (cases, TestRunner::new(config))
}

#[test]
fn the_same_sequences_are_tried_each_time() {
    use proptest::prelude::*;
    let tried = || {
        let seen = std::cell::RefCell::new(Vec::new());
        let run = runner(8, 0).1.run(&any::<u64>(), |n| {
            seen.borrow_mut().push(n);
            Ok(())
        });
        run.expect("nothing is asserted");
        seen.into_inner()
    };
    assert_eq!(tried(), tried());
}
