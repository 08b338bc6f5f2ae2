//! What the forms are made of: password fields, no questions, the way out on every page.

use crate::world::{World, both_engines};

both_engines! {
    /// ASVS-6.2.6, ASVS-6.2.7, NIST-P10: password fields are masked, named for managers, and nothing hinders pasting: the only
    /// script of the page copies what is shown.
    async fn password_fields_are_masked_and_managers_know_them(world: World) {
        let browser = world.browser();
        let handler = regex::Regex::new(r"<[^>]* on[a-z]+\s*=").expect("a pattern");
        for (page, fields) in [
            ("/account/login/", vec![("password", "current-password")]),
            ("/account/register/", vec![("new_password", "new-password"), ("password_confirm", "new-password")]),
        ] {
            let text = browser.get(page).await.text();
            for (field, manager) in fields {
                let input = tag_with(&text, &format!("name=\"{field}\"")).unwrap_or_else(|| panic!("{page} has no field {field}"));
                assert!(input.contains("type=\"password\""), "{input}");
                assert!(input.contains(&format!("autocomplete=\"{manager}\"")), "{input}");
                assert!(!input.contains("maxlength") && !input.contains("pattern"), "{input}");
            }
            assert!(tag_with(&text, "name=\"username\"").is_some_and(|input| input.contains("autocomplete=\"username\"")));
            assert!(!handler.is_match(&text), "a handler stands in a tag of {page}");
        }
    }

    /// ASVS-6.4.2, ASVS-6.6.1, NIST-P6: registration asks for a name, an address, a user name and a password: no question, no hint,
    /// no phone.
    async fn registration_asks_no_questions_and_for_no_phone(world: World) {
        let text = world.browser().get("/account/register/").await.text();
        let form = text.split("action=\"/account/register/\"").nth(1).and_then(|rest| rest.split("</form>").next()).expect("a form");
        let mut names: Vec<&str> = form.split("name=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        names.sort_unstable();
        assert_eq!(names, ["csrf_token", "email", "name", "new_password", "password_confirm", "username"]);
        assert!(!text.contains("type=\"tel\""));
    }

    /// ASVS-7.4.4, NIST-S7: whoever is signed in sees the way out on every page.
    async fn logging_out_is_visible_on_every_page(world: World) {
        let ada = world.secured("ada").await;
        for page in ["/", "/help/", "/search/?q=spam", "/manage/account/", "/manage/account/emails/", "/manage/projects/", "/nothing-here/"] {
            let text = ada.browser.get(page).await.text();
            let signed_in = page != "/nothing-here/";
            assert_eq!(text.contains("action=\"/account/logout/\""), signed_in, "{page}");
        }
    }

    /// ASVS-6.2.10, NIST-P5: a password that nobody knows to be stolen works after years.
    async fn a_password_does_not_age(world: World) {
        let ada = world.secured("ada").await;
        world.advance(std::time::Duration::from_secs(3 * 365 * 86_400));
        let browser = world.browser();
        assert_eq!(ada.send_password(&browser).await.location(), "/account/two-factor/");
    }
}

/// The tag that holds a text.
fn tag_with<'a>(text: &'a str, part: &str) -> Option<&'a str> {
    let at = text.find(part)?;
    let begin = text[..at].rfind('<')?;
    let end = at + text[at..].find('>')?;
    Some(&text[begin..=end])
}
