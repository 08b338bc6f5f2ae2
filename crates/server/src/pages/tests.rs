//! What holds for every page in each of its states. The samples are those of the gallery.

use std::collections::BTreeSet;

use crate::{pages, readme};

#[path = "../../examples/gallery/samples.rs"]
mod samples;

/// The tags of a page, without the text between them.
fn tags(html: &str) -> Vec<&str> {
    let tags = html.match_indices('<').map(|(at, _)| &html[at..at + html[at..].find('>').expect("a tag ends") + 1]);
    tags.collect()
}

/// The value of an attribute of a tag.
fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    let start = tag.find(&format!(" {name}=\""))? + name.len() + 3;
    tag[start..].split('"').next()
}

#[test]
fn every_page_is_whole() {
    for (name, html) in samples::all() {
        assert!(html.starts_with("<!doctype html>") && html.trim_end().ends_with("</html>"), "{name}");
        assert_eq!(html.matches("<h1").count(), 1, "{name} has one heading that says what it is");
        assert_eq!(html.matches("<main ").count(), 1, "{name}");
        assert!(html.contains(r##"<a class="skip" href="#main">"##), "{name}");
        assert!(html.contains("· Strongroom</title>"), "{name}");
    }
}

#[test]
fn every_template_is_in_the_gallery() {
    let shown = samples::all().len();
    let names: BTreeSet<_> = samples::all().into_iter().map(|(name, _)| name).collect();
    assert_eq!(names.len(), shown, "two samples have one name");
    let declared: usize = [
        include_str!("public.rs"),
        include_str!("account.rs"),
        include_str!("manage.rs"),
        include_str!("containing.rs"),
        include_str!("admin.rs"),
        include_str!("holds.rs"),
        include_str!("staff.rs"),
        include_str!("errors.rs"),
    ]
    .iter()
    .map(|source| source.matches("pub frame: Frame").count())
    .sum();
    let titles: BTreeSet<_> =
        samples::all().iter().map(|(_, html)| html.split("<h1").nth(1).expect("every page has one")[..40].to_owned()).collect();
    assert!(titles.len() >= declared, "{} kinds of page are shown of {declared}", titles.len());
}

#[test]
fn every_form_that_posts_carries_the_token_and_its_own_address() {
    for (name, html) in samples::all() {
        for form in html.split("<form").skip(1) {
            let form = form.split("</form>").next().expect("a form ends");
            if form.contains(r#"method="get""#) {
                assert!(!form.contains("csrf_token"), "{name}: the token would stand in an address");
                continue;
            }
            assert!(form.starts_with(r#" method="post" action="/"#), "{name}: {form}");
            assert!(form.contains(r#"<input type="hidden" name="csrf_token" value="c7f1d2">"#), "{name}: {form}");
        }
    }
}

#[test]
fn no_page_needs_more_than_the_strict_policy_allows() {
    for (name, html) in samples::all() {
        for tag in tags(&html) {
            assert!(!tag.contains(" style="), "{name}: {tag}");
            assert!(!tag.starts_with("<style") && !tag.starts_with("<iframe") && !tag.starts_with("<img"), "{name}: {tag}");
            for attribute in tag.split_whitespace().skip(1).filter_map(|part| part.split_once('=')) {
                assert!(!attribute.0.starts_with("on"), "{name}: {tag}");
            }
            if tag.starts_with("<script") {
                let known = ["copy", "keys"].iter().any(|module| tag.contains(&format!(r#"type="module" src="/static/{module}."#)));
                assert!(known, "{name}: {tag}");
            }
            if tag.starts_with("<link") {
                assert!(attribute(tag, "href").is_some_and(|href| href.starts_with("/static/")), "{name}: {tag}");
            }
        }
        let scripts = html.matches("<script").count();
        assert_eq!(html.matches("></script>").count(), scripts, "{name}: scripts have no text of their own");
        let has_ceremony = html.contains(" data-key");
        assert!(if has_ceremony { scripts == 2 } else { scripts <= 2 }, "{name}: {scripts} scripts");
    }
}

#[test]
fn what_people_write_is_never_markup() {
    let pages = samples::all();
    let of = |wanted: &str| &pages.iter().find(|(name, _)| *name == wanted).expect("a sample of this name").1;
    assert!(of("home").contains("&#60;script&#62;alert(&#34;1&#34;)"), "a summary");
    assert!(of("search-none").contains("&#34;&#62;&#60;script&#62;"), "a query");
    assert!(of("tokens").contains("&#60;of&#62;"), "a description");
    assert!(of("project-yanked").contains("It deletes &#60;files&#62;."), "a reason");
    assert!(of("login").contains(r#"name="next" value="/manage/projects/?a=&#34;b""#), "an address to go to");
    assert!(!of("project").contains("javascript:"), "a project link");
    assert!(of("search").contains("&amp;after=escaping%26x%3D1"), "a key in an address");
}

#[test]
fn a_refused_form_links_from_its_summary_to_each_field() {
    for (name, html) in samples::all() {
        let ids: BTreeSet<&str> = tags(&html).into_iter().filter_map(|tag| attribute(tag, "id")).collect();
        for tag in tags(&html) {
            if let Some(anchor) = attribute(tag, "href").and_then(|href| href.strip_prefix('#')) {
                assert!(ids.contains(anchor), "{name}: nothing is called {anchor}");
            }
            for id in ["aria-describedby", "aria-labelledby", "for", "data-copy", "data-download"] {
                for part in attribute(tag, id).unwrap_or("").split_whitespace() {
                    assert!(ids.contains(part), "{name}: nothing is called {part}");
                }
            }
        }
        let summaries = html.matches("data-focus").count();
        let refused = html.contains("<title>Refused: ");
        assert_eq!(summaries, usize::from(refused), "{name}: title and summary agree");
    }
}

#[test]
fn ids_are_unique_on_a_page() {
    for (name, html) in samples::all() {
        let mut seen = BTreeSet::new();
        for id in tags(&html).into_iter().filter_map(|tag| attribute(tag, "id")) {
            assert!(seen.insert(id), "{name}: {id} stands twice");
        }
    }
}

#[test]
fn no_password_is_ever_shown_again() {
    for (name, html) in samples::all() {
        for tag in tags(&html).into_iter().filter(|tag| tag.contains(r#"type="password""#)) {
            assert!(attribute(tag, "value").is_none(), "{name}: {tag}");
        }
    }
}

#[test]
fn the_gate_banner_says_what_is_missing_and_promises_to_come_back() {
    let pages = samples::all();
    let (_, html) = pages.iter().find(|(name, _)| *name == "projects-gated").expect("a sample of this name");
    assert!(html.contains("Projects can be managed once a second factor guards your account. You come back to this page"));
    assert!(html.contains(r#"class="button" href="/manage/unverified-account/?next=/manage/projects/">Add a factor</a>"#));
}

#[test]
fn the_token_and_each_code_stand_where_scripts_look_for_them() {
    let pages = samples::all();
    let of = |wanted: &str| &pages.iter().find(|(name, _)| *name == wanted).expect("a sample of this name").1;
    assert!(of("token-shown").contains(r#"<code id="provisioned-key">strongroom-"#));
    assert_eq!(of("codes-shown").matches(r#"<code class="recovery-code">"#).count(), 8);
    assert!(of("totp-provision").contains(r#"data-otpauth="otpauth://totp/"#));
}

#[test]
fn a_block_of_the_help_page_is_what_people_paste() {
    let pages = samples::all();
    let (_, help) = pages.iter().find(|(name, _)| *name == "help").expect("a sample of this name");
    let block = |name: &str| {
        let start = help.split(&format!(r#"<pre data-block="{name}""#)).nth(1).expect("the block exists");
        start.split("</code>").next().and_then(|part| part.split('>').nth(2)).expect("its text").to_owned()
    };
    assert_eq!(block("pip"), "pip install --index-url http://localhost:8080/simple/ spam");
    assert_eq!(block("netrc"), "machine localhost\nlogin __token__\npassword YOUR-TOKEN");
    assert!(block("pypirc").contains("repository = http://localhost:8080/legacy/\nusername = __token__\n"));
    for name in ["uv", "uv-project", "poetry", "token", "twine", "pypirc-upload", "uv-publish", "poetry-publish", "pip-config"] {
        assert!(!block(name).contains('&'), "{name} would be pasted wrongly");
    }
}
