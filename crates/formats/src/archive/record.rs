//! A wheel's RECORD: the list of its files with their hashes, which installers and auditors go by.

use std::collections::HashMap;

use data_encoding::BASE64URL_NOPAD;
use sha2::{Digest as _, Sha256, Sha384, Sha512};

/// The hash functions a RECORD may use: none weaker than SHA-256.
///
/// # Source
/// Binary distribution format, "The .dist-info directory", item 8.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Algorithm {
    Sha256,
    Sha384,
    Sha512,
}

/// What RECORD says about one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    algorithm: Algorithm,
    digest: Vec<u8>,
    size: Option<u64>,
    /// Whether a member with this path was found and fits.
    pub(super) found: bool,
}

/// RECORD, read: files with a hash, and those without one.
#[derive(Debug, Default)]
pub(super) struct Record {
    pub(super) rows: HashMap<String, Row>,
    pub(super) unhashed: Vec<String>,
}

/// Why a RECORD is no use.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum RecordError {
    /// Not UTF-8, or not rows of three columns.
    Unreadable,
    /// The file with this path has a hash that is not accepted.
    BadHash(String),
    /// The file with this path is listed twice, differently.
    Contradiction(String),
}

/// Computes the hash a row asks for.
#[derive(Debug)]
pub(super) enum RowHasher {
    Sha256(Sha256),
    Sha384(Sha384),
    Sha512(Sha512),
}

impl Record {
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, RecordError> {
        let text = std::str::from_utf8(bytes).map_err(|_| RecordError::Unreadable)?;
        let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
        let mut record = Self::default();
        for line in reader.records() {
            let line = line.map_err(|_| RecordError::Unreadable)?;
            let columns: Vec<&str> = line.iter().collect();
            let [path, hash, size] = columns[..] else { return Err(RecordError::Unreadable) };
            // Windows builders wrote their own separator.
            let path = path.replace('\\', "/");
            if path.ends_with('/') {
                continue;
            }
            if hash.is_empty() {
                record.unhashed.push(path);
                continue;
            }
            let row = Row::parse(hash, size).ok_or_else(|| RecordError::BadHash(path.clone()))?;
            if record.rows.get(&path).is_some_and(|other| *other != row) {
                return Err(RecordError::Contradiction(path));
            }
            record.rows.insert(path, row);
        }
        Ok(record)
    }
}

impl Row {
    fn parse(hash: &str, size: &str) -> Option<Self> {
        let (name, digest) = hash.split_once('=')?;
        let (algorithm, length) = match name {
            "sha256" => (Algorithm::Sha256, 32),
            "sha384" => (Algorithm::Sha384, 48),
            "sha512" => (Algorithm::Sha512, 64),
            _ => return None,
        };
        let digest = BASE64URL_NOPAD.decode(digest.trim_end_matches('=').as_bytes()).ok()?;
        let size = if size.is_empty() { None } else { Some(size.parse().ok()?) };
        (digest.len() == length).then_some(Self { algorithm, digest, size, found: false })
    }

    pub(super) fn hasher(&self) -> RowHasher {
        match self.algorithm {
            Algorithm::Sha256 => RowHasher::Sha256(Sha256::new()),
            Algorithm::Sha384 => RowHasher::Sha384(Sha384::new()),
            Algorithm::Sha512 => RowHasher::Sha512(Sha512::new()),
        }
    }

    /// Whether a file of this size and hash is the one listed.
    pub(super) fn fits(&self, size: u64, hasher: RowHasher) -> bool {
        self.size.is_none_or(|listed| listed == size) && hasher.finish() == self.digest
    }
}

impl RowHasher {
    pub(super) fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha256(hasher) => hasher.update(bytes),
            Self::Sha384(hasher) => hasher.update(bytes),
            Self::Sha512(hasher) => hasher.update(bytes),
        }
    }

    fn finish(self) -> Vec<u8> {
        match self {
            Self::Sha256(hasher) => hasher.finalize().to_vec(),
            Self::Sha384(hasher) => hasher.finalize().to_vec(),
            Self::Sha512(hasher) => hasher.finalize().to_vec(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const EMPTY: &str = "sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU";

    #[test]
    fn a_weak_unknown_or_broken_hash_is_refused() {
        for hash in ["md5=1B2M2Y8AsgTpgAmY7PhCfg", "sha1=x", "sha256=", "sha256=abc", "sha512=47DEQpj8HBSa", "47DEQ", "SHA256=x"] {
            let text = format!("a.py,{hash},0\n");
            assert_eq!(Record::parse(text.as_bytes()).unwrap_err(), RecordError::BadHash("a.py".into()), "{hash}");
        }
        assert!(Record::parse(format!("a,{EMPTY},x\n").as_bytes()).is_err());
    }

    #[test]
    fn what_is_no_table_of_three_columns_is_unreadable() {
        for bytes in [&b"a\xff,,\n"[..], b"a.py\n", b"a,b\n", b"a,b,c,d\n"] {
            assert_eq!(Record::parse(bytes).unwrap_err(), RecordError::Unreadable);
        }
    }

    #[test]
    fn a_file_listed_twice_may_not_contradict_itself() {
        let same = format!("a,{EMPTY},0\na,{EMPTY},0\n");
        assert_eq!(Record::parse(same.as_bytes()).unwrap().rows.len(), 1);
        let other = format!("a,{EMPTY},0\na,{EMPTY},1\n");
        assert_eq!(Record::parse(other.as_bytes()).unwrap_err(), RecordError::Contradiction("a".into()));
    }

    #[test]
    fn a_file_fits_its_row_by_size_and_hash() {
        let text = format!("\"a,b\",{EMPTY},0\nc\\d,{EMPTY},\ne/RECORD,,\nf/,,\n");
        let record = Record::parse(text.as_bytes()).unwrap();
        let row = &record.rows["a,b"];
        assert!(row.fits(0, row.hasher()));
        assert!(!row.fits(1, row.hasher()));
        let mut other = row.hasher();
        other.update(b"x");
        assert!(!row.fits(0, other));
        assert!(record.rows["c/d"].fits(7, row.hasher()));
        assert_eq!(record.unhashed, ["e/RECORD"]);
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            let _ = Record::parse(&bytes);
        }
    }
}
