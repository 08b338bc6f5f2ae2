//! Property 1 of the rules of power, the recovery game: whoever holds a settled mailbox and a settled factor regains control in a
//! bounded number of steps; whoever lacks a settled factor never keeps it past one not-me, whatever the interleaving.

use index::ids::AccountId;

use super::not_me::{link, press};
use super::people::DAY;
use super::take_back::{NEW, begin, confirm, prove_mailbox};
use crate::dist::wheel;
use crate::given;
use crate::people::Person;
use crate::world::{Browser, World};

const HOME: &str = "/manage/account/";
const PAGE: &str = "/account/take-back/";
const NO_LIMITS: &[(&str, &str)] = &[
    ("limits.registration.network", "off"),
    ("limits.mail.network", "off"),
    ("limits.factor.network", "off"),
    ("limits.sign_in.network", "off"),
    ("limits.take_back.network", "off"),
    ("limits.token.network", "off"),
    ("limits.confirm_login.network", "off"),
];

/// What a thief with a stolen session can have brought about by the moment at which the owner looks.
#[derive(Clone, Copy, Debug)]
enum Move {
    MintToken,
    AddAddress,
    MakeItPrimary,
    RemoveFactor,
}

const MOVES: [Move; 4] = [Move::MintToken, Move::AddAddress, Move::MakeItPrimary, Move::RemoveFactor];

/// A thief: the stolen session, and what was gained with it.
struct Thief<'w> {
    browser: Browser<'w>,
    mailbox: String,
    tokens: Vec<String>,
}

impl Thief<'_> {
    async fn make(&mut self, world: &World, account: AccountId, what: Move) {
        let id = account.0.simple().to_string();
        let mine = if world.is_postgres() { format!("account_id = '{}'", account.0) } else { format!("account_id = x'{id}'") };
        let now = world.env.now().as_micros();
        match what {
            // Without a factor the gates stand before it.
            Move::MintToken if world.number(&format!("SELECT COUNT(*) AS n FROM factors WHERE {mine} AND until_at IS NULL")).await == 0 => {
            }
            Move::MintToken => {
                self.tokens.push(given::minted(world, account, "scope:user", "").await.text.expose().to_owned());
            }
            Move::AddAddress => drop(given::address(world, account, &self.mailbox).await),
            Move::MakeItPrimary => {
                let known =
                    format!("SELECT COUNT(*) AS n FROM addresses WHERE {mine} AND folded = '{}' AND until_at IS NULL", self.mailbox);
                if world.number(&known).await == 1 {
                    world.run(&format!("UPDATE addresses SET is_primary = FALSE WHERE {mine}")).await;
                    world.run(&format!("UPDATE addresses SET is_primary = TRUE WHERE {mine} AND folded = '{}'", self.mailbox)).await;
                    world.run(&format!("UPDATE addresses SET until_at = {now} WHERE {mine} AND folded <> '{}'", self.mailbox)).await;
                }
            }
            Move::RemoveFactor => world.run(&format!("UPDATE factors SET until_at = {now} WHERE {mine}")).await,
        }
    }

    /// Nothing that the thief has opens anything.
    async fn has_nothing(&self, world: &World, name: &str, what: &str) {
        assert_eq!(self.browser.get(HOME).await.status(), 303, "the stolen session lives {what}");
        for (at, token) in self.tokens.iter().enumerate() {
            let answer = given::upload(world, token, &wheel(&format!("{name}-thief"), &format!("{at}.0")).build()).await;
            assert_eq!(answer.status(), 403, "a thief's token uploads {what}");
        }
    }
}

/// The order of the moves that a number stands for.
fn order(mut number: usize) -> Vec<Move> {
    let mut left = MOVES.to_vec();
    let mut moves = Vec::new();
    while !left.is_empty() {
        moves.push(left.remove(number % left.len()));
        number /= left.len() + 1;
    }
    moves
}

async fn play(world: &World, owner: &Person<'_>, number: usize) {
    let name = owner.username.clone();
    let account = given::account_id(world, &name).await;
    owner.log_in().await;
    let stolen = world.browser_from("198.51.100.66".parse().expect("an address"));
    stolen.set_cookie("__Host-strongroom_session", &owner.browser.cookies()["__Host-strongroom_session"]);
    assert_eq!(stolen.get(HOME).await.status(), 200);
    let mut thief = Thief { browser: stolen, mailbox: format!("thief{number}@example.net"), tokens: Vec::new() };
    // Something that the owner is told of, whatever the thief does.
    thief.make(world, account, Move::MintToken).await;
    let moves = order(number);
    let (before, after) = moves.split_at(number % (MOVES.len() + 1));
    let what = format!("in game {number}: {before:?}, not-me, {after:?}");
    for step in before {
        thief.make(world, account, *step).await;
    }
    let link = link(world, &owner.email).await;
    assert_eq!(press(&world.browser(), &link).await.status(), 200, "{what}");
    thief.has_nothing(world, &name, &what).await;
    // The thief goes for the way back, with what was gained.
    let way = world.browser();
    begin(&way, &name).await;
    way.submit(PAGE, PAGE, &[]).await;
    let codes = world.mail().await.into_iter().filter(|mail| mail.to.contains(&thief.mailbox) && mail.subject.contains("code to take"));
    assert_eq!(codes.count(), 0, "an unsettled mailbox got a code {what}");
    assert_eq!(confirm(&way, &[]).await.location(), PAGE, "{what}");
    // The owner: five requests from knowing the name to having the account.
    let browser = world.browser();
    begin(&browser, &name).await;
    assert_eq!(prove_mailbox(&browser, &owner.email).await.status(), 303, "{what}");
    let answer = browser.submit(PAGE, PAGE, &[("totp_value", &owner.code())]).await;
    assert_eq!(answer.status(), 303, "{what}: {}", answer.text());
    assert_eq!(confirm(&browser, &[]).await.status(), 200, "{what}");
    thief.has_nothing(world, &name, &format!("after the take-back, {what}")).await;
    let half = world.browser();
    let answer = half.submit("/account/login/", "/account/login/", &[("username", &name), ("password", NEW)]).await;
    assert_eq!(answer.location(), "/account/two-factor/", "{what}");
    let answer = half.submit("/account/two-factor/", "/account/two-factor/", &[("totp_value", &owner.code())]).await;
    assert_eq!(answer.status(), 303, "{what}: {}", answer.text());
    let left = format!("SELECT COUNT(*) AS n FROM addresses WHERE folded = '{}' AND until_at IS NULL", thief.mailbox);
    assert_eq!(world.number(&left).await, 0, "{what}");
}

async fn play_all(world: World, games: usize) {
    let mut owners = Vec::new();
    for number in 0..games {
        owners.push(world.secured(&format!("owner{number}")).await);
    }
    world.advance(31 * DAY);
    for (number, owner) in owners.iter().enumerate() {
        play(&world, owner, number).await;
    }
}

/// Every order of the thief's moves, and the owner's button at every place among them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_owner_always_wins_the_recovery_game_on_sqlite() {
    play_all(World::sqlite(NO_LIMITS).await, 24).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_owner_always_wins_the_recovery_game_on_postgres() {
    play_all(World::postgres(NO_LIMITS).await, 24).await;
}
