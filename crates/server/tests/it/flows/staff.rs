//! What administrators look at and do: who may, with what proof, in which case, and what exactly comes of it and goes again.

use std::time::Duration;

use index::db::entities::{account_causes, case_entries, case_subjects, cases, events, holds, project_locks};
use index::ids::AccountId;

use crate::dist;
use crate::given::{self, Has, all};
use crate::holding::{self, DAY, Seat, asked, count, seat};
use crate::world::{Answer, World, both_engines};

/// An administrator with a key that was just proved.
pub async fn administrator<'w>(world: &'w World, name: &str) -> (AccountId, Seat<'w>) {
    let id = given::account(world, name, Has::AddressAndFactor).await;
    given::administrator(world, id).await;
    let key = holding::key(world, id, "a key", DAY).await;
    (id, seat(world, id, key).await)
}

/// Sends the form of an act from the page of the account.
pub async fn on_account(seat: &Seat<'_>, name: &str, act: &str, fields: &[(&str, &str)]) -> Answer {
    seat.browser.submit("/admin/", &format!("/admin/accounts/{name}/{act}/"), fields).await
}

/// The same, with the proof that it asks for.
pub async fn proved(seat: &Seat<'_>, path: &str, fields: &[(&str, &str)]) -> Answer {
    seat.proved("/admin/", path, fields).await
}

/// The newest case.
pub async fn newest_case(world: &World) -> cases::Model {
    let mut rows = all::<cases::Entity>(world).await;
    rows.sort_by_key(|row| (row.opened_at, row.id));
    rows.pop().expect("a case is open")
}

/// Freezes, and says in which case.
pub async fn freeze(seat: &Seat<'_>, name: &str, reason: &str, case: &str) -> String {
    let answer = on_account(seat, name, "freeze", &[("reason", reason), ("case", case)]).await;
    assert_eq!(answer.status(), 303, "{}", answer.text());
    let to = answer.location();
    let id = to.strip_prefix("/admin/cases/").unwrap_or_else(|| panic!("{to} is no case"));
    id.trim_end_matches('/').to_owned()
}

async fn open_causes(world: &World, account: AccountId) -> Vec<account_causes::Model> {
    let rows = all::<account_causes::Entity>(world).await;
    rows.into_iter().filter(|row| row.account_id == account && row.until_at.is_none()).collect()
}

const PAGES: [&str; 8] = [
    "/admin/",
    "/admin/accounts/",
    "/admin/accounts/ada/",
    "/admin/projects/",
    "/admin/projects/spam/",
    "/admin/holds/",
    "/admin/cases/",
    "/admin/cases/01900000-0000-7000-8000-000000000000/",
];

const FORMS: [&str; 7] = [
    "/admin/accounts/ada/freeze/",
    "/admin/accounts/ada/thaw/",
    "/admin/projects/spam/quarantine/",
    "/admin/projects/spam/release/",
    "/admin/holds/01900000-0000-7000-8000-000000000000/stop/",
    "/admin/cases/01900000-0000-7000-8000-000000000000/note/",
    "/admin/cases/01900000-0000-7000-8000-000000000000/close/",
];

both_engines! {
    /// AUDIT-7.
    /// P9: a key proved a moment ago, of an administrator; nobody else learns whether an account or a project is there.
    async fn only_administrators_with_a_key_open_the_pages_of_the_staff(world: World) {
        let ada = given::account(&world, "ada", Has::AddressAndFactor).await;
        let key = holding::key(&world, ada, "a key", DAY).await;
        let no_staff = seat(&world, ada, key).await;
        let app_only = given::account(&world, "grace", Has::AddressAndFactor).await;
        given::administrator(&world, app_only).await;
        let app = given::browser(&world, app_only).await;
        for path in PAGES {
            assert_eq!(world.browser().get(path).await.status(), 303, "{path}: nobody");
            let answer = no_staff.browser.get(path).await;
            assert_eq!(answer.status(), 403, "{path}: no administrator");
            assert!(app.get(path).await.location().starts_with("/account/reauthenticate/"), "{path}: an administrator's old session");
        }
        let there = no_staff.browser.get("/admin/accounts/ada/").await;
        let missing = no_staff.browser.get("/admin/accounts/nobody-here/").await;
        assert_eq!((there.status(), missing.status()), (403, 403));
        for path in FORMS {
            let answer = no_staff.browser.submit("/manage/account/", path, &[("reason", "x"), ("note", "x"), ("case", "")]).await;
            assert!([403, 404].contains(&answer.status()), "{path}: {} {}", answer.status(), answer.text());
        }
        assert!(all::<account_causes::Entity>(&world).await.is_empty() && all::<cases::Entity>(&world).await.is_empty());
    }

    /// P9: a code of an app is no step-up, however fresh.
    async fn a_fresh_code_of_an_app_opens_nothing_of_the_staff(world: World) {
        let person = world.secured("grace").await;
        let id = given::account_id(&world, "grace").await;
        given::administrator(&world, id).await;
        given::account(&world, "ada", Has::Address).await;
        for path in PAGES {
            let to = person.browser.get(path).await.location();
            assert!(to.starts_with("/account/reauthenticate/") && to.contains("key=y"), "{path}: {to}");
        }
        let answer = person.browser.submit("/manage/account/", "/admin/accounts/ada/freeze/", &[("reason", "x")]).await;
        assert!(answer.location().starts_with("/account/reauthenticate/?kept="), "{}", answer.location());
        assert!(all::<account_causes::Entity>(&world).await.is_empty());
    }

    async fn an_act_without_a_reason_is_refused_and_what_was_typed_stays(world: World) {
        let (_, grace) = administrator(&world, "grace").await;
        let ada = given::account(&world, "ada", Has::Address).await;
        let long = "x".repeat(501);
        for reason in ["", "   ", "two\nlines", &long] {
            let answer = on_account(&grace, "ada", "freeze", &[("reason", reason), ("case", "")]).await;
            assert_eq!(answer.status(), 422, "{reason:?}");
            assert!(answer.text().contains("A reason is a text of 1 to 500 characters"), "{}", answer.text());
        }
        assert!(on_account(&grace, "ada", "freeze", &[("reason", &long), ("case", "")]).await.text().contains(&long));
        for case in ["no-case", "01900000-0000-7000-8000-000000000000"] {
            let answer = on_account(&grace, "ada", "freeze", &[("reason", "a drill"), ("case", case)]).await;
            assert_eq!(answer.status(), 422, "{case}");
            assert!(answer.text().contains("There is no such case."), "{}", answer.text());
        }
        assert!(open_causes(&world, ada).await.is_empty() && all::<cases::Entity>(&world).await.is_empty());
    }

    /// P9, R21.
    async fn nobody_decides_about_his_own_account(world: World) {
        let (id, grace) = administrator(&world, "grace").await;
        let (_, linus) = administrator(&world, "linus").await;
        let answer = on_account(&grace, "grace", "freeze", &[("reason", "a drill"), ("case", "")]).await;
        assert_eq!(answer.status(), 403);
        assert!(answer.text().contains("own affair"), "{}", answer.text());
        assert!(open_causes(&world, id).await.is_empty());
        let refused = given::events_of(&world, "authorization:refused").await;
        assert!(refused.iter().any(|row| row.detail.contains("staff:freeze-account")), "the try is in the trail");
        assert!(!grace.browser.get("/admin/accounts/grace/").await.text().contains("/admin/accounts/grace/freeze/"), "no form");
        drop(linus);
    }

    /// WEAK-15, WEAK-16.
    /// P9, R13, R19: at once, in one request, in a case, under the administrator's own name; the owner learns why, and not who.
    async fn a_freeze_stops_the_account_in_a_case_and_is_audited_under_the_administrators_name(world: World) {
        let person = world.secured("ada").await;
        let (id, grace) = administrator(&world, "grace").await;
        let ada = given::account_id(&world, "ada").await;
        let case = freeze(&grace, "ada", "uploads nobody knows of", "").await;
        assert_eq!(person.browser.get("/manage/account/").await.status(), 403);
        let frozen = given::events_of(&world, "account:freeze").await;
        assert_eq!(frozen.len(), 1);
        assert_eq!((frozen[0].actor_account_id, frozen[0].account_id), (Some(id), Some(ada)));
        assert_eq!((frozen[0].credential.as_str(), frozen[0].case_id.map(|case| case.to_string())), ("step_up", Some(case.clone())));
        let subjects = all::<case_subjects::Entity>(&world).await;
        assert_eq!(subjects.iter().map(|row| (row.what.as_str(), row.what_id)).collect::<Vec<_>>(), [("account", ada.0)]);
        let mail = world.newest_mail_to("ada@").await.text;
        assert!(mail.contains("uploads nobody knows of") && mail.contains("an administrator of Strongroom"), "{mail}");
        assert!(!mail.contains("grace") && !mail.contains("192.0.2."), "{mail}");
        let page = grace.browser.get(&format!("/admin/cases/{case}/")).await.text();
        assert!(page.contains("uploads nobody knows of") && page.contains("In force") && page.contains("Thaw ada"), "{page}");
        let page = grace.browser.get("/admin/accounts/ada/").await.text();
        assert!(page.contains("192.0.2.7"), "staff see networks: {page}");
        assert!(page.contains("account:freeze") && page.contains(&format!("/admin/cases/{case}/")), "{page}");
    }

    /// R20: a thaw is a key touch of its own, bound to account, case, act and reason, and good once.
    async fn a_thaw_wants_a_key_for_this_one_act(world: World) {
        let person = world.secured("ada").await;
        let (_, grace) = administrator(&world, "grace").await;
        let case = freeze(&grace, "ada", "a drill", "").await;
        let ada = given::account_id(&world, "ada").await;
        let path = "/admin/accounts/ada/thaw/";
        let fields = |reason: &'static str| [("reason", reason), ("case", case.as_str()), ("of", "")];
        let answer = grace.browser.submit("/admin/", path, &fields("over")).await;
        let act = asked(&answer).expect("a key is asked for");
        given::prove(&world, index::ids::ActId::parse(&act).expect("an id")).await;
        let with = |reason: &'static str, act: &str| {
            let mut all: Vec<(&str, String)> = fields(reason).iter().map(|(k, v)| (*k, (*v).to_owned())).collect();
            all.push(("act", act.to_owned()));
            all
        };
        async fn press(seat: &Seat<'_>, path: &str, fields: Vec<(&str, String)>) -> Answer {
            let fields: Vec<(&str, &str)> = fields.iter().map(|(k, v)| (*k, v.as_str())).collect();
            seat.browser.submit("/admin/", path, &fields).await
        }
        let weak = press(&grace, path, with("over", &act)).await;
        assert!(asked(&weak).is_some(), "a code of an app is not enough: {}", weak.text());
        let act = asked(&weak).expect("asked again");
        grace.prove(&act).await;
        assert!(asked(&press(&grace, path, with("another reason", &act)).await).is_some(), "bound to the reason");
        assert_eq!(open_causes(&world, ada).await.len(), 1, "nothing was thawed");
        let page = grace.browser.get(&format!("/admin/accounts/ada/?act={act}")).await.text();
        assert!(page.contains("Your key was used for this one act") && page.contains("Thaw the account ada: over"), "{page}");
        let done = press(&grace, path, with("over", &act)).await;
        assert_eq!(done.location(), format!("/admin/cases/{case}/"), "{}", done.text());
        assert!(open_causes(&world, ada).await.is_empty());
        assert_eq!(person.browser.get("/manage/account/").await.status(), 200, "the same cookie");
        freeze(&grace, "ada", "once more", &case).await;
        assert!(asked(&press(&grace, path, with("over", &act)).await).is_some(), "good once");
        let mail = world.newest_mail_to("ada@").await.text;
        assert!(mail.contains("once more"), "{mail}");
    }

    /// R13: thawing ends the causes of one case or one act; the operator's, the owner's and other cases' stay.
    async fn thawing_one_case_touches_no_other_cause(world: World) {
        let (_, grace) = administrator(&world, "grace").await;
        let ada = given::account(&world, "ada", Has::Address).await;
        let (first, second) = (freeze(&grace, "ada", "first", "").await, freeze(&grace, "ada", "second", "").await);
        assert_ne!(first, second);
        assert_eq!(freeze(&grace, "ada", "first again", &first).await, first);
        crate::flows::freeze_algebra::operator_freezes(&world, ada, None).await;
        let id = holding::raw(&world, ada.0);
        world.run(&format!("INSERT INTO account_causes (id, account_id, kind, reason, from_at, began_by) VALUES ({id}, {id}, 'contained', 'x', 0, {id})")).await;
        let reasons = |causes: Vec<account_causes::Model>| {
            let mut reasons: Vec<String> = causes.into_iter().map(|row| row.reason).collect();
            reasons.sort();
            reasons
        };
        let path = "/admin/accounts/ada/thaw/";
        let entries = all::<case_entries::Entity>(&world).await;
        let act = entries.iter().find(|row| row.text == "first again").expect("it was entered").event_id.to_string();
        assert_eq!(proved(&grace, path, &[("reason", "one act"), ("case", &first), ("of", &act)]).await.status(), 303);
        assert_eq!(reasons(open_causes(&world, ada).await), ["by the operator", "first", "second", "x"]);
        assert_eq!(proved(&grace, path, &[("reason", "one case"), ("case", &second), ("of", "")]).await.status(), 303);
        assert_eq!(reasons(open_causes(&world, ada).await), ["by the operator", "first", "x"]);
        let again = proved(&grace, path, &[("reason", "again"), ("case", &second), ("of", "")]).await;
        assert_eq!(again.status(), 422, "nothing of it is left");
        assert_eq!(proved(&grace, path, &[("reason", "the rest"), ("case", &first), ("of", "")]).await.status(), 303);
        assert_eq!(reasons(open_causes(&world, ada).await), ["by the operator", "x"], "no administrator ends these");
        let page = grace.browser.get("/admin/accounts/ada/").await.text();
        assert!(page.contains("Only the operator takes it away") && page.contains("Its owner takes it back"), "{page}");
        let none = on_account(&grace, "ada", "thaw", &[("reason", "x"), ("case", ""), ("of", "")]).await;
        assert_eq!(none.status(), 422);
    }

    /// R21: pausing a colleague pauses the pauser, until a third decides about each.
    async fn whoever_freezes_a_colleague_is_stopped_until_a_third_decides(world: World) {
        let (grace_id, grace) = administrator(&world, "grace").await;
        let (linus_id, linus) = administrator(&world, "linus").await;
        let (_, ada) = administrator(&world, "ada").await;
        assert!(grace.browser.get("/admin/accounts/linus/").await.text().contains("Freezing a colleague freezes you as well"));
        let case = freeze(&grace, "linus", "acts nobody knows of", "").await;
        for seat in [&grace, &linus] {
            assert_eq!(seat.browser.get("/admin/").await.status(), 403, "both are stopped");
        }
        assert_eq!((open_causes(&world, grace_id).await.len(), open_causes(&world, linus_id).await.len()), (1, 1));
        let page = ada.browser.get(&format!("/admin/cases/{case}/")).await.text();
        assert!(page.contains("Thaw linus") && page.contains("Thaw grace"), "{page}");
        let fields = [("reason", "it was right"), ("case", case.as_str()), ("of", "")];
        assert_eq!(proved(&ada, "/admin/accounts/grace/thaw/", &fields).await.status(), 303);
        assert_eq!(grace.browser.get("/admin/").await.status(), 200);
        assert_eq!(linus.browser.get("/admin/").await.status(), 403, "decided about one, not about the other");
        let told = world.newest_mail_to("linus@example.org").await.text;
        assert!(told.contains("acts nobody knows of"), "{told}");
    }

    /// R13, P8: hidden from everybody at once, and back exactly as it was.
    async fn a_quarantine_hides_a_project_and_its_end_shows_it_exactly_as_it_was(world: World) {
        let (owner, token) = given::publisher(&world, "ada").await;
        let (_, grace) = administrator(&world, "grace").await;
        assert_eq!(given::upload(&world, &token, &dist::wheel("spam", "1.0").build()).await.status(), 200);
        let page = world.browser().get("/simple/spam/").await;
        let file = page.between("href=\"", "#").replace("https://index.example.org", "");
        let bytes = world.browser().get(&file).await.bytes;
        let form = |reason: &'static str| [("reason", reason), ("case", "")];
        let answer = grace.browser.submit("/admin/", "/admin/projects/spam/quarantine/", &form("")).await;
        assert_eq!(answer.status(), 422);
        assert_eq!(world.browser().get("/simple/spam/").await.status(), 200);
        let answer = grace.browser.submit("/admin/", "/admin/projects/Spam/quarantine/", &form("malware, reported 02:50")).await;
        assert_eq!(answer.status(), 303, "{}", answer.text());
        let case = newest_case(&world).await.id.to_string();
        for path in ["/simple/spam/", file.as_str(), "/project/spam/", "/pypi/spam/json"] {
            assert_eq!(world.browser().get(path).await.status(), 404, "{path}");
        }
        assert_eq!(given::upload(&world, &token, &dist::wheel("spam", "2.0").build()).await.status(), 403);
        let mail = world.newest_mail_to("ada@example.org").await.text;
        assert!(mail.contains("malware, reported 02:50") && !mail.contains("grace") && !mail.contains("/account/alarm/"), "{mail}");
        assert!(grace.browser.get("/admin/projects/?state=quarantined").await.text().contains("/admin/projects/spam/"));
        given::administrator(&world, owner).await;
        let key = holding::key(&world, owner, "a key", DAY).await;
        let own = seat(&world, owner, key).await;
        let fields = [("reason", "a false alarm"), ("case", case.as_str()), ("of", "")];
        assert_eq!(proved(&own, "/admin/projects/spam/release/", &fields).await.status(), 403, "an owner does not end it");
        let answer = grace.browser.submit("/admin/", "/admin/projects/spam/release/", &fields).await;
        assert!(asked(&answer).is_some(), "R20: a key for this one act");
        assert_eq!(proved(&grace, "/admin/projects/spam/release/", &fields).await.status(), 303);
        assert_eq!(world.browser().get(&file).await.bytes, bytes);
        let after = world.browser().get("/simple/spam/").await.text();
        let but_serial = |text: &str| text.lines().filter(|line| !line.contains("SERIAL")).map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(but_serial(&after), but_serial(&page.text()));
        assert!(all::<project_locks::Entity>(&world).await.iter().all(|lock| lock.until_at.is_some()));
    }
}

/// Somebody with a settled app and a young key, who asks that the app be removed: that waits.
async fn proposed<'w>(world: &'w World, name: &str) -> (AccountId, Seat<'w>, holds::Model) {
    let (account, app) = holding::old_account(world, name).await;
    let young = holding::key(world, account, "young", Duration::ZERO).await;
    let seat = seat(world, account, young).await;
    let answer = seat.remove(app).await;
    assert_eq!(answer.status(), 303, "{}", answer.text());
    let hold = holding::newest(world).await;
    (account, seat, hold)
}

both_engines! {
    /// R10, R11: staff stop a change in a case; its proposer is barred until the case is closed, which wants a key of its own.
    async fn a_change_that_staff_stopped_may_be_proposed_again_once_the_case_is_closed(world: World) {
        let (_, seat_of_ada, hold) = proposed(&world, "ada").await;
        let (_, grace) = administrator(&world, "grace").await;
        let listed = grace.browser.get("/admin/holds/").await.text();
        assert!(listed.contains("1 change<") && listed.contains("/admin/accounts/ada/"), "{listed}");
        let path = format!("/admin/holds/{}/stop/", hold.id);
        assert_eq!(grace.browser.submit("/admin/", &path, &[("reason", "")]).await.status(), 422);
        assert_eq!(holding::newest(&world).await.state, "waiting");
        let answer = grace.browser.submit("/admin/", &path, &[("reason", "the owner telephoned"), ("case", "")]).await;
        assert_eq!(answer.status(), 303, "{}", answer.text());
        assert_eq!(holding::newest(&world).await.state, "vetoed");
        assert_eq!(count(&world, "hold:stopped").await, 1);
        let mail = world.newest_mail_to("ada@example.org").await.text;
        assert!(mail.contains("the owner telephoned") && !mail.contains("grace"), "{mail}");
        assert_eq!(grace.browser.submit("/admin/", &path, &[("reason", "again"), ("case", "")]).await.status(), 422, "it is over");
        let app = index::ids::FactorId::parse(&hold.subject).expect("the subject is the factor");
        assert_eq!(seat_of_ada.remove(app).await.status(), 403, "barred");
        let case = newest_case(&world).await.id;
        let close = format!("/admin/cases/{case}/close/");
        let fields = [("reason", "the owner has lost the telephone")];
        assert!(asked(&grace.browser.submit("/admin/", &close, &fields).await).is_some(), "R20");
        assert_eq!(proved(&grace, &close, &[("reason", "")]).await.status(), 422);
        assert_eq!(proved(&grace, &close, &fields).await.status(), 303);
        assert_eq!(proved(&grace, &close, &fields).await.status(), 422, "closed already");
        assert_eq!(seat_of_ada.remove(app).await.status(), 303, "it may be proposed again");
        assert_eq!(holding::newest(&world).await.state, "waiting");
    }

    /// P9: an administrator answers a change that concerns him as everybody does, and closes no case about himself.
    async fn nobody_decides_a_hold_or_a_case_that_concerns_himself(world: World) {
        let (ada, own, hold) = proposed(&world, "ada").await;
        let (_, grace) = administrator(&world, "grace").await;
        given::administrator(&world, ada).await;
        let stop = format!("/admin/holds/{}/stop/", hold.id);
        assert_eq!(own.browser.submit("/admin/", &stop, &[("reason", "mine"), ("case", "")]).await.status(), 403);
        assert_eq!(holding::newest(&world).await.state, "waiting");
        assert_eq!(grace.browser.submit("/admin/", &stop, &[("reason", "a drill"), ("case", "")]).await.status(), 303);
        let case = newest_case(&world).await;
        let close = format!("/admin/cases/{}/close/", case.id);
        assert_eq!(proved(&own, &close, &[("reason", "nothing to see")]).await.status(), 403);
        assert!(newest_case(&world).await.closed_at.is_none());
    }

    async fn a_case_holds_notes_acts_and_the_decision_in_their_order(world: World) {
        let (_, grace) = administrator(&world, "grace").await;
        given::account(&world, "ada", Has::Address).await;
        given::account(&world, "bob", Has::Address).await;
        let case = freeze(&grace, "ada", "seen at 02:50", "").await;
        let page = format!("/admin/cases/{case}/");
        let empty = grace.browser.submit(&page, &format!("{page}note/"), &[("note", "  ")]).await;
        assert_eq!(empty.status(), 422);
        let note = "The owner called.\r\nHe is in Rome; <b>bob</b> is his other account.";
        assert_eq!(grace.browser.submit(&page, &format!("{page}note/"), &[("note", note)]).await.status(), 303);
        assert_eq!(freeze(&grace, "bob", "the other one", &case).await, case);
        let text = grace.browser.get(&page).await.text();
        let at = |what: &str| text.find(what).unwrap_or_else(|| panic!("no {what} in {text}"));
        assert!(at("seen at 02:50") < at("The owner called.") && at("The owner called.") < at("the other one"));
        assert!(text.contains("&#60;b&#62;bob") && text.contains("2 of what was stopped"), "{text}");
        let noted = given::events_of(&world, "case:note").await;
        assert!(noted.len() == 1 && !noted[0].detail.contains("Rome"), "a note stands in its own table: {noted:?}");
        assert_eq!(proved(&grace, &format!("{page}close/"), &[("reason", "both his, given back by telephone")]).await.status(), 303);
        let text = grace.browser.get(&page).await.text();
        assert!(text.contains("both his, given back by telephone") && text.contains("Thaw ada"), "closing undoes nothing: {text}");
        let joined = on_account(&grace, "ada", "freeze", &[("reason", "x"), ("case", &case)]).await;
        assert_eq!(joined.status(), 422, "nothing joins a closed case");
        let undo = [("reason", "over"), ("case", case.as_str()), ("of", "")];
        assert_eq!(proved(&grace, "/admin/accounts/ada/thaw/", &undo).await.status(), 303, "what it stopped is still undone");
        let told = world.newest_mail_to("grace@example.org").await.text;
        assert!(told.contains("both his, given back by telephone"), "administrators are told of decisions: {told}");
    }

    /// P10: whoever a case concerns sees it wherever he looks, until it is closed.
    async fn an_open_case_stands_above_the_pages_of_whom_it_concerns(world: World) {
        let person = world.secured("ada").await;
        let (_, grace) = administrator(&world, "grace").await;
        assert!(!person.browser.get("/manage/account/").await.text().contains("A case is open"));
        let case = freeze(&grace, "ada", "a drill", "").await;
        let fields = [("reason", "over"), ("case", case.as_str()), ("of", "")];
        assert_eq!(proved(&grace, "/admin/accounts/ada/thaw/", &fields).await.status(), 303);
        assert!(person.browser.get("/manage/account/").await.text().contains("A case is open that concerns your account"));
        assert!(!grace.browser.get("/manage/account/").await.text().contains("A case is open"), "it concerns nobody else");
        assert_eq!(proved(&grace, &format!("/admin/cases/{case}/close/"), &[("reason", "over")]).await.status(), 303);
        assert!(!person.browser.get("/manage/account/").await.text().contains("A case is open"));
    }

    async fn lists_are_found_by_their_beginning_and_paged_by_key(world: World) {
        let (_, grace) = administrator(&world, "grace").await;
        for n in 0..53 {
            given::account(&world, &format!("mass-{n:02}"), Has::Nothing).await;
        }
        let first = grace.browser.get("/admin/accounts/?q=mass-").await;
        assert!(first.text().contains("53 accounts"), "{}", first.text());
        assert_eq!(first.text().matches("href=\"/admin/accounts/mass-").count(), 50);
        assert!(!first.text().contains("/admin/accounts/grace/"), "only what begins so");
        let next = first.between("rel=\"next\" href=\"", "\"").replace("&amp;", "&");
        let second = grace.browser.get(&next).await.text();
        assert_eq!(second.matches("href=\"/admin/accounts/mass-").count(), 3, "{second}");
        assert!(!second.contains("rel=\"next\""));
        for n in 0..26 {
            freeze(&grace, &format!("mass-{n:02}"), "a drill", "").await;
        }
        let frozen = grace.browser.get("/admin/accounts/?state=frozen").await.text();
        assert!(frozen.contains("26 accounts") && !frozen.contains("mass-30"), "{frozen}");
        let cases = grace.browser.get("/admin/cases/").await;
        assert!(cases.text().contains("26 cases"), "{}", cases.text());
        let next = cases.between("rel=\"next\" href=\"", "\"").replace("&amp;", "&");
        let older = grace.browser.get(&next).await.text();
        assert_eq!(older.matches("class=\"case\" href=\"/admin/cases/").count(), 1, "{older}");
        let staff = grace.browser.get("/admin/accounts/?state=administrators").await.text();
        assert!(staff.contains("1 account<") && staff.contains("/admin/accounts/grace/"), "{staff}");
        assert!(grace.browser.get("/admin/accounts/?q=%00%ff").await.text().contains("No account here"));
        assert!(grace.browser.get("/admin/holds/").await.text().contains("No change here"));
        assert!(grace.browser.get("/admin/").await.text().contains("<dd><a href=\"/admin/cases/\">26</a></dd>"));
    }

    async fn events_of_the_operator_and_of_staff_name_their_case_in_the_trail(world: World) {
        let (_, grace) = administrator(&world, "grace").await;
        given::account(&world, "ada", Has::Address).await;
        let case = freeze(&grace, "ada", "a drill", "").await;
        let fields = [("reason", "over"), ("case", case.as_str()), ("of", "")];
        assert_eq!(proved(&grace, "/admin/accounts/ada/thaw/", &fields).await.status(), 303);
        let trail = all::<events::Entity>(&world).await;
        let mut kinds: Vec<&str> = trail.iter().filter(|row| row.case_id.is_some()).map(|row| row.kind.as_str()).collect();
        kinds.sort_unstable();
        assert_eq!(kinds, ["account:freeze", "account:thaw"]);
    }

    /// R20: an act that names no act of the case ends nothing, least of all everything.
    async fn a_thaw_of_an_act_that_cannot_be_read_ends_nothing(world: World) {
        let (_, grace) = administrator(&world, "grace").await;
        let ada = given::account(&world, "ada", Has::Address).await;
        let case = freeze(&grace, "ada", "a drill", "").await;
        for of in ["nonsense", "01900000-0000-7000-8000-00000000000"] {
            let answer = proved(&grace, "/admin/accounts/ada/thaw/", &[("reason", "over"), ("case", &case), ("of", of)]).await;
            assert_eq!(answer.status(), 422, "{of}: {}", answer.text());
        }
        assert_eq!(open_causes(&world, ada).await.len(), 1);
    }

    /// R27: a row whose personal part was changed by hand keeps nobody from the page that shows what happened, and no mail from its way.
    async fn r27_a_personal_part_that_does_not_open_hides_no_page_and_keeps_no_mail(world: World) {
        let person = world.secured("ada").await;
        let (_, grace) = administrator(&world, "grace").await;
        world.work().await;
        given::minted(&world, given::account_id(&world, "ada").await, "scope:user", "30").await;
        let bytes = if world.is_postgres() { "'\\x00'" } else { "x'00'" };
        world.run(&format!("UPDATE event_private SET sealed = {bytes}")).await;
        for page in ["/admin/accounts/ada/", "/admin/events/"] {
            let answer = grace.browser.get(page).await;
            assert!(answer.status() == 200 && answer.text().contains("account:create"), "{page}: {}", answer.text());
        }
        for page in ["/manage/account/sessions/", "/manage/account/security-history/", "/manage/account/token/"] {
            assert_eq!(person.browser.get(page).await.status(), 200, "{page}");
        }
        let before = world.mail_as_it_lies().len();
        world.work().await;
        assert!(world.mail_as_it_lies().len() > before, "the notice of the token");
    }

    /// What is on a project is shown within bounds, what stops the whole of it first; how much there is is said.
    async fn the_page_of_a_project_is_bounded_whatever_is_on_it(world: World) {
        let (_, grace) = administrator(&world, "grace").await;
        let (_, token) = given::publisher(&world, "ada").await;
        assert_eq!(given::upload(&world, &token, &dist::wheel("spam", "1.0").build()).await.status(), 200);
        for _ in 0..130 {
            let id = holding::raw(&world, index::ids::new_uuid(world.env.now(), &*world.env.entropy));
            world.run(&format!("INSERT INTO project_locks (id, project_id, file_id, kind, reason, from_at, began_by) \
                SELECT {id}, project_id, id, 'withdrawn', 'of a file', 0, {id} FROM files")).await;
        }
        let answer = grace.browser.submit("/admin/", "/admin/projects/spam/quarantine/", &[("reason", "malware"), ("case", "")]).await;
        assert_eq!(answer.status(), 303, "{}", answer.text());
        let page = grace.browser.get("/admin/projects/spam/").await.text();
        assert_eq!(page.matches("<strong>of a file</strong>").count(), 99, "{page}");
        assert!(page.contains("<strong>malware</strong>") && page.contains("131 in all"), "{page}");
    }

    /// A long case is read to its end: page by page, and whole in its report.
    async fn a_long_case_is_paged_and_its_report_is_whole(world: World) {
        let (_, grace) = administrator(&world, "grace").await;
        given::account(&world, "ada", Has::Address).await;
        let case = freeze(&grace, "ada", "a drill", "").await;
        let page = format!("/admin/cases/{case}/");
        for n in 0..120 {
            assert_eq!(grace.browser.submit(&page, &format!("{page}note/"), &[("note", &format!("note number {n:03}."))]).await.status(), 303);
        }
        let mut seen = String::new();
        let mut next = page.clone();
        for _ in 0..9 {
            let answer = grace.browser.get(&next).await;
            seen.push_str(&answer.text());
            if !answer.text().contains("rel=\"next\"") { break; }
            next = format!("{page}{}", answer.between("rel=\"next\" href=\"", "\""));
        }
        for n in 0..120 {
            assert_eq!(seen.matches(&format!("note number {n:03}.")).count(), 1, "{n}");
        }
        assert!(next != page && seen.matches("Thaw ada").count() >= 1);
        assert!(grace.browser.get(&page).await.text().matches("note number").count() <= 100);
        let operator = index::policy::Actor::operator("olga", "a-request".to_owned());
        let id = index::ids::CaseId::parse(&case).expect("an id");
        let whole = index::act::view::<index::policy::InspectCases, _, _>(&world.env, &operator, index::ids::Site, move |read, permit| {
            Box::pin(async move { index::staff::casework::whole(read, permit, id).await })
        });
        assert_eq!(whole.await.expect("it is there").acts.len(), 121);
    }
}
