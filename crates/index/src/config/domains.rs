//! Lists of mail domains: names in the setting itself, and files that hold one name a line and may be changed while the index runs.

use std::collections::HashSet;
use std::path::PathBuf;

use anyhow::Context;

use super::FromSetting;

/// A list of domains, as a setting names it: `example.org`, or `file:PATH` for a file with one domain a line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Domains {
    names: Vec<String>,
    files: Vec<PathBuf>,
}

impl FromSetting for Domains {
    fn from_setting(text: &str) -> Result<Self, String> {
        let mut list = Self::default();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            match part.strip_prefix("file:") {
                Some(path) => list.files.push(PathBuf::from(path)),
                None => {
                    let wrong = || "it should be domains separated by commas, as in `example.org`, or `file:PATH`".to_owned();
                    list.names.push(normalized(part).ok_or_else(wrong)?);
                }
            }
        }
        Ok(list)
    }
}

/// A domain in lower-case ASCII (IDNA); `*.example.org`, `.example.org` and `@example.org` are `example.org`.
fn normalized(text: &str) -> Option<String> {
    let bare = text.trim().trim_start_matches('*').trim_start_matches(['.', '@']).trim_end_matches('.');
    let ascii = idna::domain_to_ascii(bare).ok()?;
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    (!ascii.is_empty() && ascii.chars().all(plain)).then_some(ascii)
}

impl Domains {
    /// Whether it names nothing at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.names.is_empty() && self.files.is_empty()
    }

    /// The domains of this moment. Lines of a file that begin with `#`, and those that are no domain, are passed over.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub async fn read(&self) -> anyhow::Result<DomainSet> {
        let mut set: HashSet<String> = self.names.iter().cloned().collect();
        for file in &self.files {
            let text = tokio::fs::read_to_string(file).await;
            let text = text.with_context(|| format!("the list of domains {} cannot be read", file.display()))?;
            let lines = text.lines().map(|line| line.split('#').next().unwrap_or_default().trim()).filter(|line| !line.is_empty());
            set.extend(lines.filter_map(normalized));
        }
        Ok(DomainSet(set))
    }
}

/// Domains, read.
#[derive(Clone, Debug, Default)]
pub struct DomainSet(HashSet<String>);

impl DomainSet {
    /// Whether the domain, or one that it lies below, is in the list.
    #[must_use]
    pub fn covers(&self, domain: &str) -> bool {
        let mut rest = Some(domain);
        while let Some(name) = rest {
            if self.0.contains(name) {
                return true;
            }
            rest = name.split_once('.').map(|(_, above)| above);
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(text: &str) -> Domains {
        Domains::from_setting(text).expect("a list")
    }

    #[tokio::test]
    async fn a_listed_domain_covers_what_lies_below_it_and_nothing_beside_it() {
        let set = list("Example.org, *.evil.example,@bücher.example").read().await.unwrap();
        for covered in ["example.org", "mail.example.org", "a.b.example.org", "evil.example", "x.evil.example", "xn--bcher-kva.example"] {
            assert!(set.covers(covered), "{covered}");
        }
        for other in ["org", "anexample.org", "example.org.example", "evil.org", ""] {
            assert!(!set.covers(other), "{other}");
        }
    }

    #[tokio::test]
    async fn a_file_is_read_again_each_time_and_one_that_is_gone_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("list.txt");
        std::fs::write(&path, "# throw-away\nmailinator.example  # the best known\n\nnot a domain\n").unwrap();
        let list = list(&format!("file:{}", path.display()));
        assert!(list.read().await.unwrap().covers("x.mailinator.example"));
        std::fs::write(&path, "other.example\n").unwrap();
        let set = list.read().await.unwrap();
        assert!(set.covers("other.example") && !set.covers("mailinator.example"));
        std::fs::remove_file(&path).unwrap();
        assert!(list.read().await.is_err());
    }

    #[test]
    fn what_is_no_domain_is_refused_in_the_setting() {
        for bad in ["a b", "ada@example.org", "exa/mple.org"] {
            assert!(Domains::from_setting(bad).is_err(), "{bad}");
        }
        assert!(list("").is_empty());
    }
}
