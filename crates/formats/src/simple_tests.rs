//! Tests of the simple API's pages, byte by byte.

use super::*;

fn file(filename: &str, version: &str) -> SimpleFile {
    SimpleFile {
        filename: filename.to_owned(),
        url: format!("https://index.example.org/files/{filename}"),
        sha256: "ab".repeat(32),
        requires_python: None,
        size: 7,
        upload_time_us: 1_706_688_550_000_123,
        yanked: None,
        metadata_sha256: None,
        version: version.to_owned(),
    }
}

fn page(files: Vec<SimpleFile>) -> ProjectPage {
    let versions = files.iter().map(|file| file.version.clone()).collect();
    ProjectPage { name: NormalizedName::parse("example2").unwrap(), serial: 12, status: ProjectStatus::Archived, files, versions }
}

fn html(page: &ProjectPage) -> String {
    String::from_utf8(render_project(page, Format::Html)).unwrap()
}

fn json(page: &ProjectPage) -> serde_json::Value {
    serde_json::from_slice(&render_project(page, Format::JsonV1)).unwrap()
}

#[test]
fn the_html_of_a_project_is_the_frozen_one() {
    let mut shown = file("example2-1.0.0.tar.gz", "1.0.0");
    shown.requires_python = Some(">=3.14".to_owned());
    let expected = r#"<!DOCTYPE html>
<html lang="en">
  <head>
    <meta name="pypi:repository-version" content="1.4">
<meta name="pypi:project-status" content="archived">    <title>Links for example2</title>
  </head>
  <body>
    <h1>Links for example2</h1>
<a href="https://index.example.org/files/example2-1.0.0.tar.gz#sha256=abababababababababababababababababababababababababababababababab" data-requires-python="&gt;=3.14" >example2-1.0.0.tar.gz</a><br />
</body>
</html>
<!--SERIAL 12-->"#;
    assert_eq!(html(&page(vec![shown.clone()])), expected);
    assert_eq!(render_project(&page(vec![shown]), Format::HtmlV1), expected.as_bytes());
}

#[test]
fn the_html_of_the_index_is_the_frozen_one() {
    let entry =
        |name: &str| IndexEntry { name: name.to_owned(), normalized: crate::ProjectName::parse(name).unwrap().normalized(), serial: 3 };
    let page = IndexPage { serial: 9, projects: vec![entry("Zope.x"), entry("abc")] };
    let expected = "<!DOCTYPE html>\n<html lang=\"en\">\n  <head>\n    <meta name=\"pypi:repository-version\" content=\"1.4\">\n    <title>Simple index</title>\n  </head>\n  <body>\n<a href=\"/simple/abc/\">abc</a>\n<a href=\"/simple/zope-x/\">Zope.x</a>\n</body>\n</html>";
    assert_eq!(String::from_utf8(render_index(&page, Format::Html)).unwrap(), expected);
    let expected = "{\"meta\":{\"_last-serial\":9,\"api-version\":\"1.4\"},\"projects\":[{\"_last-serial\":3,\"name\":\"abc\"},{\"_last-serial\":3,\"name\":\"Zope.x\"}]}\n";
    assert_eq!(String::from_utf8(render_index(&page, Format::JsonV1)).unwrap(), expected);
}

#[test]
fn the_json_of_a_project_is_compact_sorted_and_ends_with_a_line_end() {
    let mut shown = file("example2-1.0-py3-none-any.whl", "1.0");
    shown.metadata_sha256 = Some("cd".repeat(32));
    shown.yanked = Some("brüken".to_owned());
    let (own, meta) = ("ab".repeat(32), "cd".repeat(32));
    let expected = format!(
        "{{\"files\":[{{\"core-metadata\":{{\"sha256\":\"{meta}\"}},\"data-dist-info-metadata\":{{\"sha256\":\"{meta}\"}},\"filename\":\"example2-1.0-py3-none-any.whl\",\"hashes\":{{\"sha256\":\"{own}\"}},\"provenance\":null,\"requires-python\":null,\"size\":7,\"upload-time\":\"2024-01-31T08:09:10.000123Z\",\"url\":\"https://index.example.org/files/example2-1.0-py3-none-any.whl\",\"yanked\":\"brüken\"}}],\"meta\":{{\"_last-serial\":12,\"api-version\":\"1.4\"}},\"name\":\"example2\",\"project-status\":{{\"status\":\"archived\"}},\"versions\":[\"1.0\"]}}\n"
    );
    assert_eq!(String::from_utf8(render_project(&page(vec![shown]), Format::JsonV1)).unwrap(), expected);
}

#[test]
fn a_yank_without_reason_and_no_yank_are_told_apart() {
    let mut yanked = file("example2-1.tar.gz", "1");
    yanked.yanked = Some(String::new());
    let page = page(vec![yanked, file("example2-2.tar.gz", "2")]);
    assert_eq!(json(&page)["files"][0]["yanked"], true);
    assert_eq!(json(&page)["files"][1]["yanked"], false);
    assert!(html(&page).contains("data-yanked=\"\" >example2-1.tar.gz"));
    assert!(html(&page).contains("\" >example2-2.tar.gz"));
}

#[test]
fn text_from_outside_cannot_break_out_of_the_html() {
    let mut shown = file("example2-1.tar.gz", "1");
    shown.yanked = Some("\"><script>alert('x')</script>&".to_owned());
    shown.requires_python = Some(">=3\"<".to_owned());
    let html = html(&page(vec![shown]));
    assert!(!html.contains("<script>"));
    assert!(html.contains("data-yanked=\"&#34;&gt;&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&amp;\""));
}

#[test]
fn files_are_in_the_order_of_versions_not_of_text() {
    let files = vec![
        file("e-10.0.tar.gz", "10.0"),
        file("e-9.0-b.whl", "9.0"),
        file("e-9.0-a.whl", "9.0"),
        file("e-9.0rc1.tar.gz", "9.0rc1"),
        file("old", "not-a-version"),
    ];
    let answer = json(&page(files));
    let names: Vec<&str> = answer["files"].as_array().unwrap().iter().map(|file| file["filename"].as_str().unwrap()).collect();
    assert_eq!(names, ["old", "e-9.0rc1.tar.gz", "e-9.0-a.whl", "e-9.0-b.whl", "e-10.0.tar.gz"]);
    assert_eq!(answer["versions"], serde_json::json!(["not-a-version", "9.0rc1", "9.0", "10.0"]));
}

#[test]
fn the_form_follows_the_accept_header() {
    use Format::*;
    let pip = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html; q=0.1, text/html; q=0.01";
    for (accept, expected) in [
        (None, Some(Html)),
        (Some(""), Some(Html)),
        (Some("*/*"), Some(Html)),
        (Some("not a media type"), Some(Html)),
        (Some("text/html;q=nonsense"), Some(Html)),
        (Some(pip), Some(JsonV1)),
        (Some("text/html"), Some(Html)),
        (Some("TEXT/HTML; charset=utf-8"), Some(Html)),
        (Some("text/*"), Some(Html)),
        (Some("application/*"), Some(HtmlV1)),
        (Some("application/vnd.pypi.simple.v1+html"), Some(HtmlV1)),
        (Some("application/vnd.pypi.simple.latest+json"), Some(JsonV1)),
        (Some("application/vnd.pypi.simple.latest+html"), Some(HtmlV1)),
        (Some("application/vnd.pypi.simple.v1+json, text/html"), Some(Html)),
        (Some("application/vnd.pypi.simple.v1+json;q=0.9, text/html;q=0.8"), Some(JsonV1)),
        (Some("text/html;q=0, */*;q=0.5"), Some(HtmlV1)),
        (Some("application/vnd.pypi.simple.v2+json, */*;q=0.1"), Some(Html)),
        (Some("application/vnd.pypi.simple.v2+json"), None),
        (Some("application/json"), None),
        (Some("image/png, text/plain"), None),
        (Some("text/html;q=0"), None),
        (Some("*/*;q=0"), None),
    ] {
        assert_eq!(negotiate(accept), expected, "{accept:?}");
    }
}

#[test]
fn only_plain_html_names_its_charset() {
    assert_eq!(
        Format::ALL.map(Format::content_type),
        ["text/html; charset=UTF-8", "application/vnd.pypi.simple.v1+html", "application/vnd.pypi.simple.v1+json",]
    );
}
