//! What may be a mail address: syntax by `lettre`, domains by `idna`, and no label that mixes scripts.

use std::str::FromStr;

use unicode_security::MixedScript;

use crate::refused::Invalid;

/// The most characters of an address.
pub const MOST_CHARACTERS: usize = 254;
/// The most characters before the `@` (RFC 5321 section 4.5.3.1.1).
const MOST_IN_MAILBOX: usize = 64;

/// A mail address that mail can be sent to: an ASCII mailbox, the domain in lower-case ASCII (IDNA).
#[derive(Clone, PartialEq, Eq)]
pub struct Address(String);

impl std::fmt::Debug for Address {
    /// Addresses are personal and not for logs.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Address")
    }
}

impl Address {
    /// Reads what was typed.
    ///
    /// # Errors
    /// A sentence for the field `email`.
    pub fn parse(typed: &str) -> Result<Self, Invalid> {
        let wrong = |message: &str| Invalid::new("email", message);
        let typed = typed.trim();
        let malformed = || wrong("That is not a mail address: write it as in ada@example.org.");
        let (mailbox, domain) = typed.rsplit_once('@').ok_or_else(malformed)?;
        // Quoted mailboxes are legal and nobody has one; programs disagree where they end.
        if !mailbox.is_ascii() || mailbox.contains('"') || domain.ends_with('.') {
            return Err(malformed());
        }
        if mailbox.len() > MOST_IN_MAILBOX {
            return Err(wrong("The part of a mail address before the @ has at most 64 characters."));
        }
        let domain = domain_of(domain).ok_or_else(malformed)?;
        if mixes_scripts(&domain) {
            return Err(wrong("The domain of this address mixes letters of several scripts, as look-alikes do. Use another one."));
        }
        let address = format!("{mailbox}@{domain}");
        if address.len() > MOST_CHARACTERS {
            return Err(wrong("A mail address has at most 254 characters."));
        }
        lettre::Address::from_str(&address).map_err(|_| malformed())?;
        Ok(Self(address))
    }

    /// The address as mail is sent to it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Lower case: the key of uniqueness. What follows a `+` stays: what it means is the mail server's business.
    #[must_use]
    pub fn folded(&self) -> String {
        self.0.to_ascii_lowercase()
    }

    /// The domain, in lower-case ASCII.
    #[must_use]
    pub fn domain(&self) -> &str {
        domain_part(&self.0)
    }
}

/// What stands behind the `@` of an address that was parsed once.
pub(crate) fn domain_part(address: &str) -> &str {
    address.rsplit_once('@').map_or("", |(_, domain)| domain)
}

/// The domain in ASCII with labels of at most 63 characters; `None` for what is none, or a network address.
fn domain_of(typed: &str) -> Option<String> {
    let ascii = idna::domain_to_ascii_strict(typed).ok()?;
    // What a browser would read as a network address is none either: `127.1`, `0x7f.1`.
    matches!(url::Host::parse(&ascii), Ok(url::Host::Domain(_))).then_some(ascii)
}

fn mixes_scripts(ascii: &str) -> bool {
    let (readable, _) = idna::domain_to_unicode(ascii);
    readable.split('.').any(|label| !label.is_single_script())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_mail_address_is_refused() {
        let long = format!("{}@example.org", "a".repeat(260));
        let long_mailbox = format!("{}@example.org", "a".repeat(65));
        let long_label = format!("ada@{}.example", "a".repeat(64));
        let long_domain = format!("ada@{}example", "abcdefgh.".repeat(28));
        for bad in [
            "",
            "ada",
            "@example.org",
            "ada@",
            "ada@@example.org",
            "ada lovelace@example.org",
            "\"ada lovelace\"@example.org",
            "\"ada\"@example.org",
            "ada..l@example.org",
            ".ada@example.org",
            "ada.@example.org",
            "ada@[192.0.2.1]",
            "ada@[IPv6:2001:db8::1]",
            "ada@192.0.2.1",
            "ada@0x7f.1",
            "ada@example.org.",
            "ada@.example.org",
            "ada@example..org",
            "ada@-example.org",
            "ada@exa_mple.org",
            "ada@ex%61mple.org",
            "ada@exa mple.org",
            "ada@example.org\nBcc: eve@example.org",
            "ada\r\nBcc: eve@example.org",
            "ada@example.org, eve@example.org",
            "Ada <ada@example.org>",
            "ada@example.org>",
            "ädä@example.org",
            "ada@exa\u{200b}\u{202e}mple.org\u{0}",
            "ada@xn--a",
            long.as_str(),
            long_mailbox.as_str(),
            long_label.as_str(),
            long_domain.as_str(),
        ] {
            assert!(Address::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn the_domain_becomes_lower_case_ascii_and_the_mailbox_stays() {
        let address = Address::parse(" Ada@BÜCHER.example ").unwrap();
        assert_eq!(address.as_str(), "Ada@xn--bcher-kva.example");
        assert_eq!(address.folded(), "ada@xn--bcher-kva.example");
        assert_eq!(address.domain(), "xn--bcher-kva.example");
    }

    #[test]
    fn a_label_of_one_script_is_taken_and_one_that_mixes_them_is_not() {
        for good in ["ada@пример.example", "ada@例え.example", "ada@xn--e1afmkfd.example", "ada@παράδειγμα.example", "ada@example.org"]
        {
            assert!(Address::parse(good).is_ok(), "{good}");
        }
        // A Cyrillic а among Latin letters, typed and as IDNA writes it.
        let typed = Address::parse("ada@p\u{430}ypal.example").unwrap_err();
        assert!(typed.message.contains("several scripts"), "{}", typed.message);
        let written = idna::domain_to_ascii("p\u{430}ypal.example").unwrap();
        assert!(Address::parse(&format!("ada@{written}")).is_err());
    }

    #[test]
    fn subaddresses_are_addresses_of_their_own() {
        let (plain, sub) = (Address::parse("ada@example.org").unwrap(), Address::parse("ada+index@example.org").unwrap());
        assert_eq!(sub.as_str(), "ada+index@example.org");
        assert_ne!(plain.folded(), sub.folded());
    }

    #[test]
    fn an_address_never_prints_itself() {
        assert_eq!(format!("{:?}", Address::parse("ada@example.org").unwrap()), "Address");
    }
}
