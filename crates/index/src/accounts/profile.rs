//! The profile: the name a person gives, and the one address that others may see.

use sea_orm::Value;
use unicode_security::confusable_detection::skeleton;

use crate::accounts::{self, addresses};
use crate::db::Tx;
use crate::env::Env;
use crate::events::{self, Entry, ProfileChanged};
use crate::policy::{ChangeProfile, Denied, Permit};
use crate::refused::{Invalid, Refused};

/// The most characters of the name that a person gives.
pub const NAME_MOST_CHARACTERS: usize = 100;

/// Names that would speak for the people who run the index.
const OF_STAFF: [&str; 10] =
    ["admin", "administrator", "administrators", "moderator", "official", "operator", "security", "staff", "support", "system"];

/// Reads the name that a person gave, on the index of this name.
///
/// # Errors
/// A sentence for the field `name`.
pub fn display_name(index: &str, typed: &str) -> Result<String, Invalid> {
    let name = typed.trim();
    if name.chars().count() > NAME_MOST_CHARACTERS {
        return Err(Invalid::new("name", "A name has at most 100 characters."));
    }
    if name.chars().any(|c| c.is_control() || is_unseen(c)) {
        return Err(Invalid::new("name", "A name has no control characters and none that hide or turn the text around them."));
    }
    if speaks_for_staff(index, name) {
        return Err(Invalid::new("name", "This name looks like one of the people who run this index: choose another."));
    }
    Ok(name.to_owned())
}

/// Characters that cannot be seen, or that turn the order of what follows. Joiners stay: names of several scripts need them.
const fn is_unseen(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

fn speaks_for_staff(index: &str, name: &str) -> bool {
    let (name, index) = (bare(name), bare(index));
    let rest = name.strip_prefix(&index).filter(|_| !index.is_empty()).unwrap_or(&name);
    let rest = rest.strip_suffix(bare("team").as_str()).unwrap_or(rest);
    (rest.is_empty() && !name.is_empty()) || OF_STAFF.iter().any(|word| rest == bare(word))
}

/// The letters and digits of what people would take a name for.
fn bare(name: &str) -> String {
    let lower = name.to_lowercase();
    skeleton(&lower).filter(|c| c.is_alphanumeric()).collect::<String>().to_lowercase()
}

const NAME: &str = "UPDATE accounts SET display_name = $2 WHERE id = $1";
const PUBLIC: &str = "UPDATE addresses SET is_public = (folded = $2) WHERE account_id = $1 AND until_at IS NULL";

/// Changes the name, checked already, and which of the verified addresses others see; an empty one shows none.
///
/// # Errors
/// `Invalid` when the address is none of the account's verified ones.
pub async fn change(env: &Env, tx: &mut Tx, permit: &Permit<ChangeProfile>, name: &str, public_email: &str) -> Result<(), Refused> {
    let account = *permit.on();
    let rows = addresses::lock_rows(tx, account).await?;
    let folded = public_email.trim().to_ascii_lowercase();
    if !folded.is_empty() && !rows.iter().any(|row| row.folded == folded && row.verified_at.is_some()) {
        return Err(Invalid::new("public_email", "Choose one of your verified addresses, or none.").into());
    }
    let before = accounts::by_id(tx, account).await?.ok_or(Denied::Hidden)?;
    let shown = rows.iter().find(|row| row.is_public).map_or("", |row| row.folded.as_str());
    if before.display_name == name && shown == folded {
        tx.leave_as_it_was();
        return Ok(());
    }
    tx.execute(NAME, vec![Value::from(account), Value::from(name)]).await?;
    tx.execute(PUBLIC, vec![Value::from(account), Value::from(folded.as_str())]).await?;
    let event = ProfileChanged { renamed: before.display_name != name, shows_mailbox: !folded.is_empty() };
    events::record(env, tx, permit, Entry::of(event).about(account).with_address(&folded)).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_of_any_script_is_taken_as_it_is() {
        for good in ["", "Ada Lovelace", "  Søren ", "山田 太郎", "محمد", "Jane Staff", "क्ष\u{200d}", "Support Vector"] {
            assert_eq!(display_name("Strongroom", good).unwrap(), good.trim(), "{good}");
        }
    }

    #[test]
    fn what_hides_turns_or_fills_the_page_is_refused() {
        let long = "x".repeat(101);
        for bad in ["a\u{0}b", "a\nb", "abc\u{202e}cba", "a\u{200b}b", "\u{feff}ada", "a\u{2066}b", long.as_str()] {
            assert!(display_name("Strongroom", bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_name_that_speaks_for_the_index_is_refused_in_any_spelling() {
        for bad in
            ["Administrator", "ADMIN", "Strongroom", "Strongroom Security Team", "Suppоrt", "s t a f f", "Str0ngroom support", "аdmin"]
        {
            assert!(display_name("Strongroom", bad).is_err(), "{bad}");
        }
    }
}
