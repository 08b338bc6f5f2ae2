//! What sealing the audit trail costs those who write: uploads and logins per second with and without it, by turns in one run.
//!
//! `cargo run --release -p server --example seals -- ROUNDS [EACH]`. On SQLite, and on PostgreSQL too when `STRONGROOM_TEST_POSTGRES`
//! names a server. Hashing is made cheap, so that what is measured is the database.
#![allow(dead_code, missing_docs, unused_imports, unused_macros, reason = "the world of the tests, of which a part is used")]
#![allow(clippy::disallowed_methods, reason = "a benchmark asks for the time")]

#[path = "../tests/it/dist.rs"]
mod dist;
#[path = "../tests/it/given.rs"]
mod given;
#[path = "../tests/it/people.rs"]
mod people;
#[path = "../tests/it/world.rs"]
mod world;

use std::time::Instant;

use futures_util::future::join_all;
use index::audit;
use tokio::sync::watch;
use world::World;

/// How many do it at once.
const AT_ONCE: usize = 8;
const OFF: &[(&str, &str)] = &[
    ("limits.sign_in.account", "off"),
    ("limits.sign_in.network", "off"),
    ("limits.sign_in.index", "off"),
    ("limits.upload.account", "off"),
    ("limits.new_project.account", "off"),
    ("limits.new_project.network", "off"),
    ("sessions.confirm_unknown_device", "false"),
];

/// How many of each were done in a second.
struct Rates {
    uploads: f64,
    logins: f64,
}

#[tokio::main]
async fn main() {
    let number = |at: usize, default: usize| std::env::args().nth(at).map_or(default, |text| text.parse().expect("a number"));
    let (rounds, each) = (number(1, 5), number(2, 200));
    run("SQLite", World::sqlite(OFF).await, rounds, each).await;
    if std::env::var_os("STRONGROOM_TEST_POSTGRES").is_some() {
        run("PostgreSQL", World::postgres(OFF).await, rounds, each).await;
    }
}

async fn run(engine: &str, world: World, rounds: usize, each: usize) {
    let (_, token) = given::publisher(&world, "ada").await;
    let bob = world.verified("bob").await;
    let (mut without, mut with) = (Vec::new(), Vec::new());
    // The first round warms up.
    for round in 0..=rounds {
        // Each comes first as often as the other, and has a project of its own: what is there already costs neither more.
        for (turn, sealing) in [round % 2 == 0, round % 2 == 1].into_iter().enumerate() {
            let project = format!("spam-{round}-{turn}");
            let (stop, stopped) = watch::channel(false);
            let ticker = sealing.then(|| tokio::spawn(audit::run(world.env.clone(), stopped)));
            let rates = measure(&world, (&token, &bob), &project, each).await;
            stop.send_replace(true);
            if let Some(ticker) = ticker {
                ticker.await.expect("it ends");
            }
            // What was left unsealed must not burden the next round.
            audit::seal(&world.env).await.expect("it can be sealed");
            if round > 0 {
                if sealing { &mut with } else { &mut without }.push(rates);
            }
        }
    }
    print(engine, "uploads", median(&without, |r| r.uploads), median(&with, |r| r.uploads));
    print(engine, "logins", median(&without, |r| r.logins), median(&with, |r| r.logins));
}

async fn measure(world: &World, (token, bob): (&str, &people::Person<'_>), project: &str, each: usize) -> Rates {
    let first = given::upload(world, token, &dist::wheel(project, "1").build()).await;
    assert_eq!(first.status(), 200, "{}", first.text());
    let files: Vec<_> = (0..each).map(|n| dist::wheel(project, &format!("1.{n}.1")).build()).collect();
    let began = Instant::now();
    for some in files.chunks(AT_ONCE) {
        for answer in join_all(some.iter().map(|file| given::upload(world, token, file))).await {
            assert_eq!(answer.status(), 200, "{}", answer.text());
        }
    }
    let uploads = each as f64 / began.elapsed().as_secs_f64();
    let began = Instant::now();
    for _ in 0..each.div_ceil(AT_ONCE) {
        // Whoever is signed in gets no form.
        let browsers: Vec<_> = (0..AT_ONCE).map(|_| world.browser()).collect();
        for answer in join_all(browsers.iter().map(|browser| bob.send_password(browser))).await {
            assert_eq!(answer.status(), 303, "{}", answer.text());
        }
    }
    let logins = each as f64 / began.elapsed().as_secs_f64();
    Rates { uploads, logins }
}

fn median(rates: &[Rates], of: fn(&Rates) -> f64) -> f64 {
    let mut values: Vec<f64> = rates.iter().map(of).collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn print(engine: &str, what: &str, without: f64, with: f64) {
    println!("{engine}, {what} in a second: {without:.0} without sealing, {with:.0} with it, ratio {:.3}", with / without);
}
