//! Tokens are byte for byte those of pymacaroons and pypitoken.
//!
//! The vectors were made by tests/vectors/make.py. Where STRONGROOM_PYTHON names
//! a Python that has both installed, random tokens go both ways as well.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdout, Command, Stdio};

use credentials::caveat::Caveat;
use credentials::entropy::{Entropy, SeededEntropy, SystemEntropy};
use credentials::macaroon::{Macaroon, TokenRefused};
use credentials::secret::{Secret, SecretBytes};
use data_encoding::HEXLOWER;
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use serde::Deserialize;
use uuid::Uuid;

const ROUNDS: usize = 200;

#[derive(Deserialize)]
struct Vectors {
    tokens: Vec<Vector>,
    third_party: String,
    version_1: String,
}

#[derive(Deserialize)]
struct Vector {
    key: String,
    location: String,
    identifier: String,
    prefix: String,
    caveats: Vec<String>,
    texts: Vec<String>,
}

impl Vector {
    fn key(&self) -> SecretBytes {
        SecretBytes::new(HEXLOWER.decode(self.key.as_bytes()).unwrap())
    }

    fn minted(&self) -> Macaroon {
        Macaroon::mint(&self.key(), &self.location, self.identifier.as_bytes())
    }

    fn parse(&self, text: &str) -> Macaroon {
        Macaroon::parse(&Secret::new(text), &self.prefix).unwrap()
    }
}

fn vectors() -> Vectors {
    serde_json::from_str(include_str!("vectors/macaroons.json")).unwrap()
}

#[test]
fn minting_and_narrowing_give_the_same_texts() {
    for vector in vectors().tokens {
        let mut token = vector.minted();
        assert_eq!(token.to_text(&vector.prefix).expose(), vector.texts[0]);
        for (caveat, text) in vector.caveats.iter().zip(&vector.texts[1..]) {
            token = token.with_caveat(caveat.as_bytes());
            assert_eq!(token.to_text(&vector.prefix).expose(), text);
        }
    }
}

#[test]
fn their_tokens_verify_at_every_stage_and_not_with_another_key() {
    for vector in vectors().tokens {
        for (stage, text) in vector.texts.iter().enumerate() {
            let token = vector.parse(text);
            assert!(token.verify(&vector.key()));
            let other = [vector.key().expose(), b"x"].concat();
            assert!(!token.verify(&SecretBytes::new(other)));
            assert_eq!(token.location, vector.location);
            assert_eq!(token.identifier, vector.identifier.as_bytes());
            assert!(token.caveats().iter().eq(vector.caveats[..stage].iter().map(|c| c.as_bytes())));
        }
    }
}

#[test]
fn their_caveats_read_and_are_written_the_same() {
    let vectors = vectors().tokens;
    let caveats: Vec<&String> = vectors.iter().flat_map(|vector| &vector.caveats).collect();
    for tag in ["[0, ", "[1, ", "[2, ", "[3, ", "[100, ", "[101, "] {
        assert!(caveats.iter().any(|caveat| caveat.starts_with(tag)), "{tag}");
    }
    for caveat in caveats {
        let read = Caveat::parse(caveat.as_bytes()).unwrap();
        assert_eq!(String::from_utf8(read.to_bytes()).unwrap(), *caveat);
    }
}

#[test]
fn their_third_party_caveats_and_first_version_are_refused() {
    let vectors = vectors();
    let refused = |text: String| Macaroon::parse(&Secret::new(text), "room").unwrap_err();
    assert_eq!(refused(vectors.third_party), TokenRefused::ThirdParty);
    assert_eq!(refused(vectors.version_1), TokenRefused::Version);
}

#[derive(Deserialize)]
struct Answer {
    minted: String,
    reloaded: String,
    attenuated: String,
    verifies: bool,
    verifies_wrong_key: bool,
    respelled: Vec<String>,
}

/// `vectors/answer.py`, at work.
struct Python {
    child: Child,
    answers: BufReader<ChildStdout>,
}

impl Python {
    fn start(program: &std::ffi::OsStr) -> Self {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/answer.py");
        let mut child = Command::new(program).arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let answers = BufReader::new(child.stdout.take().unwrap());
        Self { child, answers }
    }

    fn ask(&mut self, question: &serde_json::Value) -> Answer {
        let mut input = self.child.stdin.as_ref().unwrap();
        writeln!(input, "{question}").unwrap();
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap()
    }
}

impl Drop for Python {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

/// Random values out of a seeded stream.
struct Draw(SeededEntropy);

impl Draw {
    fn bytes(&self, length: usize) -> Vec<u8> {
        let mut out = vec![0; length];
        self.0.fill(&mut out);
        out
    }

    fn below(&self, limit: usize) -> usize {
        let word: [u8; 8] = self.bytes(8).try_into().unwrap();
        (u64::from_be_bytes(word) % limit as u64) as usize
    }

    fn uuid(&self) -> Uuid {
        Uuid::from_slice(&self.bytes(16)).unwrap()
    }

    fn text(&self, alphabet: &str, longest: usize) -> String {
        let alphabet: Vec<char> = alphabet.chars().collect();
        let length = self.below(longest + 1);
        (0..length).map(|_| alphabet[self.below(alphabet.len())]).collect()
    }

    fn many<T>(&self, most: usize, one: impl Fn(&Self) -> T) -> Vec<T> {
        (0..self.below(most + 1)).map(|_| one(self)).collect()
    }

    fn network(&self) -> IpNet {
        if self.below(2) == 0 {
            let address: [u8; 4] = self.bytes(4).try_into().unwrap();
            let length = self.below(33) as u8;
            Ipv4Net::new(address.into(), length).unwrap().trunc().into()
        } else {
            let address: [u8; 16] = self.bytes(16).try_into().unwrap();
            let length = self.below(129) as u8;
            Ipv6Net::new(address.into(), length).unwrap().trunc().into()
        }
    }

    fn caveat(&self) -> Caveat {
        match self.below(6) {
            0 => Caveat::Validity { not_before_s: self.below(1 << 40) as i64 - (1 << 20), expires_at_s: self.below(1 << 40) as i64 },
            1 => Caveat::ProjectNames(self.many(5, |d| d.text("ab-12ü\"\\\n日🐍\u{7f}", 12))),
            2 => Caveat::ProjectIds(self.many(4, Self::uuid)),
            3 => Caveat::Account(self.uuid()),
            4 => Caveat::Actions(self.many(3, |d| d.text("upload:", 8))),
            _ => Caveat::Networks(self.many(4, Self::network)),
        }
    }

    fn vector(&self) -> Vector {
        // pymacaroons takes an empty key for none and leaves the token unsigned.
        let key = HEXLOWER.encode(&self.bytes(1 + self.below(100)));
        let location = self.text("abc.-ü", 30);
        let identifier = self.text("0123456789abcdef-é", 300);
        let caveats = self.many(8, Self::caveat);
        let caveats = caveats.iter().map(|c| String::from_utf8(c.to_bytes()).unwrap());
        Vector { key, location, identifier, prefix: "room".into(), caveats: caveats.collect(), texts: Vec::new() }
    }
}

fn one_round(python: &mut Python, draw: &Draw) {
    let vector = draw.vector();
    let extra = String::from_utf8(draw.caveat().to_bytes()).unwrap();
    let token = vector.caveats.iter().fold(vector.minted(), |token, caveat| token.with_caveat(caveat.as_bytes()));
    let text = token.to_text("room");
    let answer = python.ask(&serde_json::json!({
        "key": vector.key,
        "location": vector.location,
        "identifier": vector.identifier,
        "prefix": vector.prefix,
        "caveats": vector.caveats,
        "token": text.expose(),
        "extra": extra,
        "wrong_key": format!("{}01", vector.key),
    }));
    assert_eq!(answer.minted, text.expose());
    assert_eq!(answer.reloaded, text.expose());
    assert!(answer.verifies && !answer.verifies_wrong_key);
    assert_eq!(answer.respelled, vector.caveats);
    let attenuated = token.with_caveat(extra.as_bytes());
    assert_eq!(answer.attenuated, attenuated.to_text("room").expose());
    assert!(vector.parse(&answer.attenuated).verify(&vector.key()));
}

#[test]
fn random_tokens_are_the_same_both_ways() {
    let Some(program) = std::env::var_os("STRONGROOM_PYTHON") else {
        eprintln!("STRONGROOM_PYTHON is not set: only the vectors were tried");
        return;
    };
    let mut seed = [0; 8];
    SystemEntropy.fill(&mut seed);
    let seed = u64::from_be_bytes(seed);
    eprintln!("seed {seed}");
    let draw = Draw(SeededEntropy::new(seed));
    let mut python = Python::start(&program);
    for _ in 0..ROUNDS {
        one_round(&mut python, &draw);
    }
}
