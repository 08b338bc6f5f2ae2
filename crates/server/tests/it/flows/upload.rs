//! `POST /legacy/`: what clients send, what is refused in which words, and what nobody can do by sending it oddly.

use std::collections::VecDeque;

use axum::body::{Body, Bytes};
use axum::http::{Method, Request};
use futures_util::stream;
use index::db::entities::{api_tokens, files, projects, releases, roles};

use crate::dist::{BOUNDARY, Dist, blake2_256, sdist, tagged, wheel};
use crate::given::{self, CLIENT, Has, account, all, blobs, events_of, publisher, upload, upload_body, upload_request};
use crate::world::{Answer, World, both_engines};

/// The refusal stands in the reason phrase and in the body.
fn refused(answer: &Answer, status: u16, gist: &str) {
    let reason = answer.reason.clone().unwrap_or_default();
    assert_eq!(answer.status(), status, "{}", answer.text());
    assert!(reason.contains(gist), "the reason {reason:?} does not say {gist:?}");
    assert!(answer.text().contains(gist), "the body does not say {gist:?}: {}", answer.text());
}

fn accepted(answer: &Answer) {
    assert_eq!(answer.status(), 200, "{}", answer.text());
}

async fn nothing_is_kept(world: &World) {
    assert!(all::<files::Entity>(world).await.is_empty());
    assert!(all::<projects::Entity>(world).await.is_empty());
    assert_eq!(blobs(&world.env), Vec::<String>::new());
}

both_engines! {
    async fn a_wheel_and_an_sdist_make_a_project_with_one_owner(world: World) {
        let (ada, token) = publisher(&world, "ada").await;
        let recipe = |r: crate::dist::Recipe| r.header("Summary", "Spam, eggs").header("Requires-Python", ">=3.9").header("Keywords", "a,b").build();
        let (whl, tgz) = (recipe(wheel("My.Spam", "1.0")), recipe(sdist("My.Spam", "1.0")));
        let answer = upload(&world, &token, &whl).await;
        assert_eq!((answer.status(), answer.text()), (200, String::new()), "{}", answer.text());
        accepted(&upload(&world, &token, &tgz).await);
        let project = all::<projects::Entity>(&world).await.remove(0);
        assert_eq!((project.name.as_str(), project.normalized.as_str(), project.look_alike.as_str()), ("My.Spam", "my-spam", "myspam"));
        let role = all::<roles::Entity>(&world).await.remove(0);
        assert_eq!((role.account_id, role.role.as_str(), role.founding), (ada, "Owner", true));
        let release = all::<releases::Entity>(&world).await;
        assert_eq!((release.len(), release[0].version.as_str(), release[0].summary.as_str()), (1, "1.0", "Spam, eggs"));
        let stored = all::<files::Entity>(&world).await;
        assert_eq!(stored.len(), 2);
        for (dist, row) in [&whl, &tgz].into_iter().zip(&stored) {
            assert_eq!((row.filename.as_str(), row.sha256.as_str()), (dist.filename.as_str(), dist.sha256().as_str()));
            assert_eq!(row.requires_python.as_deref(), Some(">=3.9"));
            assert_eq!(std::fs::read(world.env.blobs.path(&row.blake2_256)).unwrap(), dist.bytes);
            let metadata = std::fs::read(world.env.blobs.path(row.metadata_sha256.as_deref().unwrap())).unwrap();
            assert!(metadata.starts_with(b"Metadata-Version: 2.4\nName: My.Spam\n"));
        }
        let events = events_of(&world, "project:release:file:add").await;
        assert_eq!(events.len(), 2);
        assert_eq!((events[1].actor_account_id, events[1].project_id, events[1].seq), (Some(ada), Some(project.id), project.serial));
        assert!(events[0].detail.contains("\"new_project\":true") && events[1].detail.contains("\"new_project\":false"));
    }

    async fn the_same_file_again_is_accepted_and_changes_nothing(world: World) {
        let (_, token) = publisher(&world, "ada").await;
        let dist = wheel("spam", "1.0").build();
        accepted(&upload(&world, &token, &dist).await);
        let before = (all::<projects::Entity>(&world).await, all::<files::Entity>(&world).await, blobs(&world.env).len());
        accepted(&upload(&world, &token, &dist).await);
        let after = (all::<projects::Entity>(&world).await, all::<files::Entity>(&world).await, blobs(&world.env).len());
        assert_eq!(before, after);
        assert_eq!(events_of(&world, "project:release:file:add").await.len(), 1);
    }

    async fn a_file_name_and_a_files_bytes_are_used_once(world: World) {
        let (_, token) = publisher(&world, "ada").await;
        let first = wheel("spam", "1.0").build();
        accepted(&upload(&world, &token, &first).await);
        let other_bytes = wheel("spam", "1.0").file("spam/more.py", b"x = 1\n").build();
        let answer = upload(&world, &token, &other_bytes).await;
        refused(&answer, 400, &format!("File already exists ('{}', with blake2_256 hash '{}').", other_bytes.filename, blake2_256(&other_bytes.bytes)));
        let other_name = first.clone().called("spam-1.0-1-py3-none-any.whl");
        refused(&upload(&world, &token, &other_name).await, 400, "File already exists ('spam-1.0-1-py3-none-any.whl',");
        assert_eq!(all::<files::Entity>(&world).await.len(), 1);
    }

    async fn fields_may_come_after_the_file_and_only_one_digest_is_needed(world: World) {
        let (_, token) = publisher(&world, "ada").await;
        let dist = wheel("spam", "1.0").build().lacking("blake2_256_digest");
        accepted(&upload_body(&world, &token, Body::from(dist.body_file_first())).await);
        let flit = sdist("spam", "1.0").build().lacking("blake2_256_digest").lacking("pyversion").with("provides", "spam");
        accepted(&upload(&world, &token, &flit).await);
        let pdm = wheel("spam", "1.1").header("Provides-Extra", "x").build();
        let pdm = pdm.clone().lacking("provides_extra").with("provides_extras", "x").with("maintainer", "").lacking("sha256_digest");
        let answer = upload(&world, &token, &pdm).await;
        assert_eq!(answer.status(), 200, "{}", answer.text());
    }

    async fn the_action_may_stand_in_the_address(world: World) {
        let (_, token) = publisher(&world, "ada").await;
        let dist = wheel("spam", "1.0").build().lacking(":action");
        refused(&upload(&world, &token, &dist).await, 400, "Unknown or missing :action.");
        let mut request = upload_request(&token, Body::from(dist.body()));
        *request.uri_mut() = "/legacy/?:action=file_upload".parse().unwrap();
        assert_eq!(world.send(CLIENT, request).await.status(), 200);
    }

    async fn actions_of_old_clients_are_gone_and_the_slash_is_put_back(world: World) {
        let (_, token) = publisher(&world, "ada").await;
        for action in ["submit", "submit_pkg_info", "doc_upload"] {
            let form = Dist { filename: String::new(), bytes: Vec::new(), fields: vec![(":action".into(), action.into()), ("name".into(), "spam".into())] };
            assert_eq!(upload(&world, &token, &form).await.status(), 410);
            let request = Request::post("/legacy/")
                .header("authorization", format!("token {token}"))
                .header("content-type", "application/x-www-form-urlencoded")
                .body(Body::from(format!(":action={action}&name=spam")));
            assert_eq!(world.send(CLIENT, request.unwrap()).await.status(), 410);
        }
        let moved = world.send(CLIENT, Request::post("/legacy").body(Body::empty()).unwrap()).await;
        assert_eq!((moved.status(), moved.location().as_str()), (308, "/legacy/"));
        let browser = world.browser();
        assert_eq!(browser.request(Method::GET, "/legacy/", Body::empty(), &[]).await.status(), 405);
        assert_eq!(browser.get("/legacy/%2Bsimple/spam/").await.status(), 404);
    }

    async fn errors_are_json_for_clients_that_want_json(world: World) {
        let (_, token) = publisher(&world, "ada").await;
        let mut request = upload_request(&token, Body::from(wheel("spam", "1.0").build().with("protocol_version", "2").body()));
        let accept = "application/json;q=0.9, text/plain;q=0.8, text/html;q=0.7";
        request.headers_mut().insert("accept", accept.parse().unwrap());
        let answer = world.send(CLIENT, request).await;
        assert_eq!(answer.header("content-type"), Some("application/json"));
        assert_eq!(answer.json(), serde_json::json!({"message": "Unknown protocol version.", "code": "400 Unknown protocol version.", "title": "Bad Request"}));
    }

    async fn a_form_that_is_wrong_is_refused_in_known_words(world: World) {
        let (_, token) = publisher(&world, "ada").await;
        let dist = || wheel("spam", "1.0").build();
        let cases = [
            (dist().with("protocol_version", "2"), "Unknown protocol version."),
            (dist().with("name", "-spam-"), "'-spam-' is an invalid value for Name. Error: Start and end with a letter or numeral"),
            (dist().lacking("sha256_digest").lacking("blake2_256_digest"), "Error: Include at least one message digest."),
            (dist().with("sha256_digest", &"0".repeat(64)), "The digest supplied does not match a digest calculated from the uploaded file."),
            (dist().with("md5_digest", &"0".repeat(32)), "The digest supplied does not match a digest calculated from the uploaded file."),
            (sdist("spam", "1.0").build().with("pyversion", "py3"), "Invalid value for pyversion. Error: Use 'source' as Python version for an sdist."),
            (dist().with("filetype", "bdist_egg"), "Invalid value for filetype. Error: Use a known file type."),
            (wheel("spam", "1.0+local").build(), "The use of local versions in '1.0+local' is not allowed."),
            (wheel("spam", "1.0").header("Classifier", "No :: Such").build(), "'No :: Such' is not a valid classifier."),
            (dist().with("summary", "something else"), "summary"),
            (dist().with("requires_dist", "evil"), "requires"),
            (dist().with("version", "1.1"), "Version in filename should be '1.1' not '1.0'."),
        ];
        for (dist, gist) in cases {
            refused(&upload(&world, &token, &dist).await, 400, gist);
        }
        nothing_is_kept(&world).await;
    }

    async fn a_form_without_a_file_or_with_strange_parts_is_refused(world: World) {
        let (_, token) = publisher(&world, "ada").await;
        let whole = String::from_utf8_lossy(&wheel("spam", "1.0").build().body()).into_owned();
        let fields = whole.split(&format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"content\"")).next().unwrap().to_owned();
        let with = |part: &str| Body::from(format!("{fields}--{BOUNDARY}\r\nContent-Disposition: form-data; {part}\r\n--{BOUNDARY}--\r\n"));
        let cases = [
            (Body::from(format!("{fields}--{BOUNDARY}--\r\n")), "Upload payload does not have a file."),
            (with("name=\"content\"\r\n\r\nnot a file"), "Upload payload does not have a file."),
            (with("name=\"summary\"; filename=\"x\"\r\n\r\nx"), "summary: Should not be a tuple."),
            (with("name=\"content\"; filename=\"x.whl\"\r\nContent-Type: image/png\r\n\r\nx"), "Invalid distribution file."),
            (with(&format!("name=\"description\"\r\n\r\n{}", "x".repeat(5 << 20))), "larger than 4 MiB"),
            (Body::from(fields.clone()), "Invalid Form Data."),
            (Body::from(format!("--{BOUNDARY}\r\nX: {}", "y".repeat(64))), "Invalid Form Data."),
        ];
        for (body, gist) in cases {
            refused(&upload_body(&world, &token, body).await, 400, gist);
        }
        let many: String = (0..2001).map(|i| format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"f{i}\"\r\n\r\n\r\n")).collect();
        refused(&upload_body(&world, &token, Body::from(many)).await, 400, "too many fields");
        nothing_is_kept(&world).await;
    }

    async fn a_part_whose_head_never_ends_is_cut_off(world: World) {
        let (_, token) = publisher(&world, "ada").await;
        let start = stream::iter([Ok::<_, std::io::Error>(Bytes::from(format!("--{BOUNDARY}\r\nX-Long: ")))]);
        let head = futures_util::StreamExt::chain(start, stream::iter((0..64).map(|_| Ok(Bytes::from(vec![b'x'; 64 * 1024])))));
        refused(&upload_body(&world, &token, Body::from_stream(head)).await, 400, "Invalid Form Data.");
    }

    async fn file_names_that_do_not_fit_are_refused(world: World) {
        let (_, token) = publisher(&world, "ada").await;
        let dist = || wheel("my-pkg", "1.0").build();
        let cases = [
            (dist().called("a/b.whl"), "Cannot upload a file with '/' or '\\' in the name."),
            (dist().called("my_pkg-1.0.exe"), "Invalid file extension: Use .tar.gz, .whl or .zip extension."),
            (dist().called("my_pkg-1.0.tar.gz"), "Invalid file extension: Extension .tar.gz is invalid for filetype bdist_wheel."),
            (dist().called("my_pkg-1.0-any.whl"), "Invalid wheel filename (wrong number of parts)"),
            (dist().called("other-1.0-py3-none-any.whl"), "Start filename for 'my-pkg' with 'my_pkg'."),
            (wheel("My-Pkg", "1.0").named("My_Pkg-1.0-py3-none-any.whl", "My_Pkg-1.0.dist-info").build(), "should contain the normalized project name 'my_pkg', not 'My_Pkg'."),
            (sdist("my-pkg", "1.0").named("my-pkg-1.0.tar.gz", "my-pkg-1.0").build(), "Filename 'my-pkg-1.0.tar.gz' is invalid, should be 'my_pkg-1.0.tar.gz'."),
            (sdist("my-pkg", "1.0").named("my_pkg-1.0.zip", "my_pkg-1.0").build(), "Filename 'my_pkg-1.0.zip' is invalid, should be 'my_pkg-1.0.tar.gz'."),
            (tagged("my-pkg", "1.0", "cp312-cp312-linux_x86_64").build(), "has an unsupported platform tag 'linux_x86_64'."),
            (tagged("my-pkg", "1.0", "cp312-cp312-musllinux_1_2_ppc64").build(), "has an unsupported platform tag 'musllinux_1_2_ppc64'."),
        ];
        for (dist, gist) in cases {
            let answer = upload(&world, &token, &dist).await;
            refused(&answer, 400, gist);
        }
        nothing_is_kept(&world).await;
        accepted(&upload(&world, &token, &tagged("my-pkg", "1.0", "cp312-cp312-manylinux_2_17_x86_64").build()).await);
    }

    async fn archives_that_do_not_hold_what_they_must_are_refused(world: World) {
        let (_, token) = publisher(&world, "ada").await;
        let scripts = b"[console_scripts]\na/b = spam:main\n";
        let mut not_a_zip = wheel("spam", "1.0").build();
        not_a_zip.bytes = b"not a zip".to_vec();
        let mut trailing = wheel("spam", "1.0").build();
        trailing.bytes.extend_from_slice(b"more");
        let lies = |dist: Dist| { let sha = dist.sha256(); let blake = blake2_256(&dist.bytes); dist.with("sha256_digest", &sha).with("blake2_256_digest", &blake) };
        let cases = [
            (lies(not_a_zip), "Invalid distribution file. File is not a zipfile"),
            (lies(trailing), "Invalid distribution file. ZIP archive not accepted:"),
            (wheel("spam", "1.0").without("RECORD").build(), "Wheel 'spam-1.0-py3-none-any.whl' does not contain the required RECORD file: spam-1.0.dist-info/RECORD"),
            (wheel("spam", "1.0").without("METADATA").build(), "Wheel 'spam-1.0-py3-none-any.whl' does not contain the required METADATA file: spam-1.0.dist-info/METADATA"),
            (wheel("spam", "1.0").without("WHEEL").build(), "Invalid distribution file. WHEEL not found at"),
            (wheel("spam", "1.0").file("spam-1.0.dist-info/entry_points.txt", scripts).build(), "has invalid entry points defined in the entry_points.txt file"),
            (wheel("spam", "1.0").header("License-File", "LICENSE").build(), "License-File LICENSE does not exist in distribution file"),
            (sdist("spam", "1.0").without("PKG-INFO").build(), "Invalid distribution file. PKG-INFO not found at"),
        ];
        for (dist, gist) in cases {
            refused(&upload(&world, &token, &dist).await, 400, gist);
        }
        nothing_is_kept(&world).await;
    }

    async fn a_second_sdist_of_one_version_is_refused(world: World) {
        let (_, token) = publisher(&world, "ada").await;
        accepted(&upload(&world, &token, &sdist("spam", "1.0").build()).await);
        let again = sdist("spam", "1.0.0").build();
        refused(&upload(&world, &token, &again).await, 400, "Only one sdist may be uploaded per release.");
    }

    async fn names_that_nobody_may_take_are_refused(world: World) {
        let (_, token) = publisher(&world, "ada").await;
        accepted(&upload(&world, &token, &wheel("mypig", "1.0").build()).await);
        index::act::housekeeping(&world.env, index::act::Housekeeping::Queue, |tx| Box::pin(async move {
            use index::db::Reading as _;
            use sea_orm::{ActiveModelTrait as _, ActiveValue::Set};
            let row = index::db::entities::prohibited_names::ActiveModel {
                normalized: Set("reserved-word".to_owned()), reason: Set("ours".to_owned()), created_at: Set(tx.now()),
            };
            row.insert(tx.connection()).await?;
            Ok(())
        })).await.unwrap();
        let cases = [
            ("json", "The name 'json' isn't allowed (conflict with Python Standard Library module name)."),
            ("Reserved.Word", "The name 'Reserved.Word' isn't allowed."),
            ("my_p1g", "The name 'my_p1g' is too similar to an existing project."),
        ];
        for (name, gist) in cases {
            refused(&upload(&world, &token, &wheel(name, "1.0").build()).await, 400, gist);
        }
        assert_eq!(all::<projects::Entity>(&world).await.len(), 1);
    }

    async fn the_display_name_follows_the_last_upload(world: World) {
        let (_, token) = publisher(&world, "ada").await;
        accepted(&upload(&world, &token, &wheel("my-spam", "1.0").build()).await);
        accepted(&upload(&world, &token, &wheel("My.Spam", "1.1").build()).await);
        let rows = all::<projects::Entity>(&world).await;
        assert_eq!((rows.len(), rows[0].name.as_str(), rows[0].normalized.as_str()), (1, "My.Spam", "my-spam"));
    }

    async fn a_stranger_to_a_project_is_refused_and_the_trail_says_so(world: World) {
        let (_, ada) = publisher(&world, "ada").await;
        let (eve, evil) = publisher(&world, "eve").await;
        accepted(&upload(&world, &ada, &wheel("spam", "1.0").build()).await);
        let answer = upload(&world, &evil, &wheel("spam", "6.6").build()).await;
        refused(&answer, 403, "isn't allowed to upload to project 'spam'. See /help/#project-name for more information.");
        assert!(answer.reason.unwrap().starts_with("The user 'eve' isn't"));
        assert_eq!(all::<files::Entity>(&world).await.len(), 1);
        let events = events_of(&world, "authorization:refused").await;
        assert_eq!((events.len(), events[0].actor_account_id), (1, Some(eve)));
    }

    /// OSSF-AN-2.3, OSSF-AN-3.2, ASVS-6.3.3.
    async fn an_account_without_address_or_factor_cannot_upload(world: World) {
        for (name, has, gist) in [
            ("ada", Has::Nothing, "does not have a verified primary email address"),
            ("bob", Has::Address, "does not have two-factor authentication enabled"),
        ] {
            let (id, token) = publisher(&world, name).await;
            given::strip(&world, id, has).await;
            let answer = upload(&world, &token, &wheel("spam", "1.0").build()).await;
            refused(&answer, 403, gist);
            assert!(answer.reason.unwrap().starts_with(&format!("User '{name}', associated with the API token used,")));
        }
        nothing_is_kept(&world).await;
        let never = account(&world, "cleo", Has::Nothing).await;
        assert!(all::<api_tokens::Entity>(&world).await.iter().all(|token| token.account_id != never));
    }

    /// PYPI-16, AUDIT-6.
    async fn a_frozen_account_cannot_upload_even_if_it_began_before(world: World) {
        let (ada, token) = publisher(&world, "ada").await;
        let dist = wheel("spam", "1.0").file("spam/data.bin", &noise(40_000)).build();
        let env = world.env.clone();
        let freezing = async move {
            assert_eq!(blobs(&env).len(), 1, "the file is being taken in");
            given::freeze(&env, ada).await;
        };
        let answer = upload_body(&world, &token, stepped(dist.body(), freezing)).await;
        refused(&answer, 403, "Invalid or non-existent authentication information.");
        nothing_is_published(&world).await;
        refused(&upload(&world, &token, &dist).await, 403, "Invalid or non-existent authentication information.");
    }

    async fn a_token_deleted_while_it_uploads_opens_nothing(world: World) {
        let ada = account(&world, "ada", Has::AddressAndFactor).await;
        let token = given::minted(&world, ada, "scope:user", "").await;
        let dist = wheel("spam", "1.0").file("spam/data.bin", &noise(40_000)).build();
        let (env, id) = (world.env.clone(), token.id);
        let revoking = async move {
            assert_eq!(blobs(&env).len(), 1, "the file is being taken in");
            given::revoke(&env, ada, id).await;
        };
        let answer = upload_body(&world, token.text.expose(), stepped(dist.body(), revoking)).await;
        refused(&answer, 403, "Invalid or non-existent authentication information.");
        nothing_is_published(&world).await;
    }

    async fn a_connection_that_breaks_leaves_nothing(world: World) {
        let (_, token) = publisher(&world, "ada").await;
        let mut body = wheel("spam", "1.0").file("spam/data.bin", &noise(400_000)).build().body();
        body.truncate(body.len() - 1000);
        let broken = stream::iter([Ok(Bytes::from(body)), Err(std::io::Error::other("reset"))]);
        let answer = upload_body(&world, &token, Body::from_stream(broken)).await;
        assert_eq!(answer.status(), 400);
        nothing_is_kept(&world).await;
    }

    async fn two_uploads_of_one_name_at_once_leave_one_file(world: World) {
        let (_, token) = publisher(&world, "ada").await;
        let variant = |text: &[u8]| wheel("spam", "1.0").file("spam/which.py", text).build();
        let (one, two) = (variant(b"1\n"), variant(b"2\n"));
        let (a, b) = tokio::join!(upload(&world, &token, &one), upload(&world, &token, &two));
        let mut statuses = [a.status(), b.status()];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 400], "{} {}", a.text(), b.text());
        let loser = if a.status() == 400 { a } else { b };
        refused(&loser, 400, "File already exists ('spam-1.0-py3-none-any.whl'");
        assert_eq!((all::<files::Entity>(&world).await.len(), all::<projects::Entity>(&world).await.len()), (1, 1));
    }

    async fn many_first_uploads_at_once_found_one_project(world: World) {
        let (_, token) = publisher(&world, "ada").await;
        let dists: Vec<Dist> = (0..6).map(|i| wheel("spam", &format!("1.{i}")).build()).collect();
        let answers = futures_util::future::join_all(dists.iter().map(|dist| upload(&world, &token, dist))).await;
        for answer in &answers {
            assert_eq!(answer.status(), 200, "{}", answer.text());
        }
        assert_eq!((all::<projects::Entity>(&world).await.len(), all::<roles::Entity>(&world).await.len()), (1, 1));
        assert_eq!((all::<releases::Entity>(&world).await.len(), all::<files::Entity>(&world).await.len()), (6, 6));
    }

    async fn names_that_look_alike_are_not_both_founded_at_once(world: World) {
        let (_, ada) = publisher(&world, "ada").await;
        let (_, bob) = publisher(&world, "bob").await;
        let (one, two) = (wheel("mypig", "1.0").build(), wheel("my-p1g", "1.0").build());
        let (a, b) = tokio::join!(upload(&world, &ada, &one), upload(&world, &bob, &two));
        let loser = if a.status() == 400 { &a } else { &b };
        refused(loser, 400, "is too similar to an existing project.");
        assert_eq!((a.status() + b.status(), all::<projects::Entity>(&world).await.len()), (600, 1));
    }
}

mod with_settings {
    use super::*;

    async fn each(settings: &[(&str, &str)], test: impl AsyncFn(World)) {
        test(World::sqlite(settings).await).await;
        test(World::postgres(settings).await).await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_file_above_the_limit_is_refused_and_not_kept() {
        each(&[("files.max_size", "1MiB")], async |world| {
            let (_, token) = publisher(&world, "ada").await;
            let large = wheel("spam", "1.0").file("spam/data.bin", &noise(3_000_000)).build();
            refused(&upload(&world, &token, &large).await, 400, "File too large. Limit for project 'spam' is 1 MB.");
            nothing_is_kept(&world).await;
        })
        .await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_full_project_takes_no_more() {
        each(&[("projects.max_size", "2KiB")], async |world| {
            let (_, token) = publisher(&world, "ada").await;
            accepted(&upload(&world, &token, &wheel("spam", "1.0").build()).await);
            let mut answer = upload(&world, &token, &wheel("spam", "1.1").build()).await;
            if answer.status() == 200 {
                answer = upload(&world, &token, &wheel("spam", "1.2").build()).await;
            }
            refused(&answer, 400, "Project size too large. Limit for project 'spam' total size is 2048 bytes.");
        })
        .await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn new_projects_are_limited_and_refused_uploads_do_not_count() {
        each(&[("limits.new_project.account", "2/1h")], async |world| {
            let (_, token) = publisher(&world, "ada").await;
            for version in ["1.0", "1.1", "1.2"] {
                refused(&upload(&world, &token, &wheel("json", version).build()).await, 400, "isn't allowed");
            }
            for name in ["one-spam", "two-spam"] {
                accepted(&upload(&world, &token, &wheel(name, "1.0").build()).await);
            }
            let answer = upload(&world, &token, &wheel("three-spam", "1.0").build()).await;
            refused(&answer, 429, "Too many new projects created.");
            assert!(answer.header("retry-after").is_some());
            accepted(&upload(&world, &token, &wheel("two-spam", "1.1").build()).await);
            assert_eq!(all::<projects::Entity>(&world).await.len(), 2);
        })
        .await;
    }
}

/// Bytes that do not compress.
fn noise(length: u32) -> Vec<u8> {
    (0..length).map(|i| i.wrapping_mul(2_654_435_761).to_be_bytes()[1] ^ (i.wrapping_mul(i) >> 7).to_be_bytes()[3]).collect()
}

/// The body in small chunks; before the last one is handed over, something happens.
fn stepped(body: Vec<u8>, before_the_last: impl Future<Output = ()> + Send + 'static) -> Body {
    let chunks: VecDeque<Bytes> = body.chunks(200).map(Bytes::copy_from_slice).collect();
    let stream = stream::unfold((chunks, Some(Box::pin(before_the_last))), |(mut chunks, mut happens)| async move {
        let next = chunks.pop_front()?;
        if chunks.is_empty()
            && let Some(happens) = happens.take()
        {
            happens.await;
        }
        Some((Ok::<_, std::io::Error>(next), (chunks, happens)))
    });
    Body::from_stream(stream)
}

async fn nothing_is_published(world: &World) {
    assert!(all::<files::Entity>(world).await.is_empty());
    assert!(all::<projects::Entity>(world).await.is_empty());
    assert!(events_of(world, "project:release:file:add").await.is_empty());
}
