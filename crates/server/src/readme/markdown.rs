//! Markdown as README files use it: CommonMark with tables, strikethrough, task lists and footnotes.

use pulldown_cmark::{CowStr, Event, Options, Parser, Tag, TagEnd, html};

use super::slug;

/// HTML that is not safe yet.
pub(super) fn to_html(text: &str) -> String {
    let options = Options::ENABLE_TABLES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_GFM;
    let mut events: Vec<Event<'_>> = Parser::new_ext(text, options).map(marked).collect();
    name_headings(&mut events);
    let mut out = String::with_capacity(text.len() * 3 / 2);
    html::push_html(&mut out, events.into_iter());
    out
}

/// Boxes of task lists become characters, since a description has no forms.
fn marked(event: Event<'_>) -> Event<'_> {
    match event {
        Event::TaskListMarker(done) => Event::Text(CowStr::Borrowed(if done { "☑ " } else { "☐ " })),
        other => other,
    }
}

/// Gives each heading the anchor that tables of contents in README files point to.
fn name_headings(events: &mut [Event<'_>]) {
    let mut open = None;
    let mut words = String::new();
    for at in 0..events.len() {
        match &events[at] {
            Event::Start(Tag::Heading { .. }) => {
                open = Some(at);
                words.clear();
            }
            Event::Text(text) | Event::Code(text) if open.is_some() => words.push_str(text),
            Event::End(TagEnd::Heading(_)) => {
                let name = slug(&words);
                if let Some(start) = open.take()
                    && let Event::Start(Tag::Heading { id, .. }) = &mut events[start]
                {
                    id.get_or_insert(name.into());
                }
            }
            _ => {}
        }
    }
}
