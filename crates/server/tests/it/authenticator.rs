//! A security key made of software: it makes P-256 credentials and assertions as browsers hand them on, right or wrong in one thing.

use data_encoding::BASE64URL_NOPAD;
use p256::ecdsa::signature::Signer;
use p256::ecdsa::{DerSignature, SigningKey};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use credentials::entropy::{Entropy, SystemEntropy};

use crate::people::Person;
use crate::world::{Answer, Browser, World};

const ADD: &str = "/manage/account/webauthn-provision";
const USE: &str = "/account/webauthn-authenticate";

/// One credential on one device, and what the device and the browser say when they are asked.
#[derive(Clone)]
pub struct Key {
    pub signing: SigningKey,
    pub id: Vec<u8>,
    /// What the device keeps of the account; only discoverable credentials say it.
    pub handle: Option<Vec<u8>>,
    pub resident: bool,
    pub present: bool,
    pub verifies: bool,
    pub eligible: bool,
    pub backed_up: bool,
    /// Zero stays zero: many passkeys do not count.
    pub counter: u32,
    pub counts: bool,
    pub origin: String,
    pub party: String,
    /// The type that the browser writes, where it is a wrong one.
    pub kind: Option<&'static str>,
    /// What else the browser writes into the client data.
    pub beside: Option<(&'static str, Value)>,
    /// Flips a bit of every signature.
    pub lies: bool,
}

impl Key {
    fn new() -> Self {
        let (mut secret, mut id) = ([0; 32], vec![0; 32]);
        SystemEntropy.fill(&mut secret);
        SystemEntropy.fill(&mut id);
        secret[0] &= 0x7f;
        Self {
            signing: SigningKey::from_slice(&secret).expect("below the order of the curve"),
            id,
            handle: None,
            resident: false,
            present: true,
            verifies: false,
            eligible: false,
            backed_up: false,
            counter: 0,
            counts: true,
            origin: "https://index.example.org".to_owned(),
            party: "index.example.org".to_owned(),
            kind: None,
            beside: None,
            lies: false,
        }
    }

    /// A key to plug in, with a button and no PIN.
    pub fn usb() -> Self {
        Self::new()
    }

    /// A passkey of a phone: it knows its person, is found without a name, and its provider keeps copies.
    pub fn passkey() -> Self {
        Self { resident: true, verifies: true, eligible: true, backed_up: true, counts: false, ..Self::new() }
    }

    /// A platform's own key: it knows its person, is found without a name, counts, and cannot be copied.
    pub fn internal() -> Self {
        Self { resident: true, verifies: true, ..Self::new() }
    }

    /// The identifier as browsers write it.
    pub fn id_text(&self) -> String {
        BASE64URL_NOPAD.encode(&self.id)
    }

    fn client_data(&self, kind: &str, options: &Value) -> Vec<u8> {
        let mut data = json!({
            "type": self.kind.unwrap_or(kind), "challenge": options["challenge"], "origin": self.origin, "crossOrigin": false,
        });
        if let Some((name, value)) = &self.beside {
            data[*name] = value.clone();
        }
        data.to_string().into_bytes()
    }

    fn authenticator_data(&mut self, attested: bool) -> Vec<u8> {
        if self.counts {
            self.counter += 1;
        }
        let bits = [(self.present, 0), (self.verifies, 2), (self.eligible, 3), (self.backed_up, 4), (attested, 6)];
        let flags = bits.into_iter().fold(0_u8, |flags, (set, bit)| flags | (u8::from(set) << bit));
        let mut data = Sha256::digest(self.party.as_bytes()).to_vec();
        data.push(flags);
        data.extend(self.counter.to_be_bytes());
        if attested {
            data.extend([0; 16]);
            data.extend(u16::try_from(self.id.len()).expect("identifiers are short").to_be_bytes());
            data.extend(&self.id);
            data.extend(self.public_key());
        }
        data
    }

    /// COSE: {1: 2 (EC2), 3: -7 (ES256), -1: 1 (P-256), -2: x, -3: y}.
    fn public_key(&self) -> Vec<u8> {
        let point = self.signing.verifying_key().to_sec1_point(false);
        let (x, y) = point.as_bytes()[1..].split_at(32);
        let mut cbor = vec![0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20];
        cbor.extend(x);
        cbor.extend([0x22, 0x58, 0x20]);
        cbor.extend(y);
        cbor
    }

    /// Answers creation options: a `RegistrationResponseJSON`.
    pub fn create(&mut self, options: &Value) -> String {
        let user = options["user"]["id"].as_str().expect("options name the user");
        self.handle = self.resident.then(|| BASE64URL_NOPAD.decode(user.as_bytes()).expect("base64url"));
        let client_data = self.client_data("webauthn.create", options);
        let data = self.authenticator_data(true);
        // {"fmt": "none", "attStmt": {}, "authData": bytes}
        let mut object = vec![0xa3, 0x63];
        object.extend(b"fmt");
        object.push(0x64);
        object.extend(b"none");
        object.push(0x67);
        object.extend(b"attStmt");
        object.extend([0xa0, 0x68]);
        object.extend(b"authData");
        object.push(0x59);
        object.extend(u16::try_from(data.len()).expect("short").to_be_bytes());
        object.extend(&data);
        json!({
            "id": self.id_text(), "rawId": self.id_text(), "type": "public-key", "authenticatorAttachment": "cross-platform",
            "clientExtensionResults": { "credProps": { "rk": self.resident } },
            "response": {
                "clientDataJSON": BASE64URL_NOPAD.encode(&client_data), "attestationObject": BASE64URL_NOPAD.encode(&object),
                "transports": ["usb"],
            },
        })
        .to_string()
    }

    /// Answers request options: an `AuthenticationResponseJSON`.
    pub fn assert(&mut self, options: &Value) -> String {
        let client_data = self.client_data("webauthn.get", options);
        let data = self.authenticator_data(false);
        let signed = [data.as_slice(), &Sha256::digest(&client_data)].concat();
        let signature: DerSignature = self.signing.sign(&signed);
        let mut signature = signature.to_bytes().to_vec();
        if self.lies {
            *signature.last_mut().expect("signatures have bytes") ^= 1;
        }
        let mut response = json!({
            "clientDataJSON": BASE64URL_NOPAD.encode(&client_data), "authenticatorData": BASE64URL_NOPAD.encode(&data),
            "signature": BASE64URL_NOPAD.encode(&signature),
        });
        if let Some(handle) = &self.handle {
            response["userHandle"] = BASE64URL_NOPAD.encode(handle).into();
        }
        json!({
            "id": self.id_text(), "rawId": self.id_text(), "type": "public-key", "clientExtensionResults": {}, "response": response,
        })
        .to_string()
    }
}

impl World {
    /// Somebody who met all the gates with a key as the only factor and is signed in, the key just proved.
    pub async fn secured_with_key(&self, username: &str, mut key: Key) -> (Person<'_>, Key) {
        let person = self.verified(username).await;
        person.prove_mailbox().await;
        person.save_codes().await;
        let answer = person.add_key(&mut key, "blue key", None).await;
        assert_eq!(answer.status(), 200, "{}", answer.text());
        (person, key)
    }
}

impl Browser<'_> {
    /// The token of forms in this browser, whoever is signed in.
    pub async fn form_token(&self) -> String {
        self.get("/account/logout/").await.csrf_token()
    }

    /// The challenge for using a key; `query` begins with `?` or is empty.
    pub async fn challenge(&self, query: &str) -> Value {
        let answer = self.get(&format!("{USE}/options{query}")).await;
        assert_eq!(answer.status(), 200, "{}", answer.text());
        answer.json()
    }

    /// Posts an assertion, with the fields beside it.
    pub async fn answer_challenge(&self, credential: &str, beside: &[(&str, &str)]) -> Answer {
        let token = self.form_token().await;
        let fields = [&[("csrf_token", token.as_str()), ("credential", credential)], beside].concat();
        self.post(&format!("{USE}/validate"), &fields).await
    }

    /// The whole ceremony of using a key.
    pub async fn use_key(&self, key: &mut Key) -> Answer {
        let credential = key.assert(&self.challenge("").await);
        self.answer_challenge(&credential, &[]).await
    }
}

impl Person<'_> {
    /// The challenge for a new key.
    pub async fn challenge_to_add(&self) -> Value {
        let answer = self.browser.get(&format!("{ADD}/options")).await;
        assert_eq!(answer.status(), 200, "{}", answer.text());
        answer.json()
    }

    /// Posts a new key as it is.
    pub async fn send_new_key(&self, label: &str, credential: &str, act: Option<&str>) -> Answer {
        let token = self.browser.form_token().await;
        let mut fields = vec![("csrf_token", token.as_str()), ("label", label), ("credential", credential)];
        fields.extend(act.map(|act| ("act", act)));
        self.browser.post(&format!("{ADD}/validate"), &fields).await
    }

    /// The whole ceremony of a new key.
    pub async fn add_key(&self, key: &mut Key, label: &str, act: Option<&str>) -> Answer {
        let credential = key.create(&self.challenge_to_add().await);
        self.send_new_key(label, &credential, act).await
    }

    /// Asks for the proof of adding a key with this label; where the proof is made.
    pub async fn ask_to_add(&self, label: &str) -> String {
        let answer = self.browser.submit(ADD, ADD, &[("label", label)]).await;
        assert_eq!(answer.status(), 303, "{}", answer.text());
        answer.location()
    }

    /// Signs in at a browser with password and key.
    pub async fn log_in_with_key(&self, browser: &Browser<'_>, key: &mut Key) {
        assert_eq!(self.send_password(browser).await.location(), "/account/two-factor/");
        let answer = browser.use_key(key).await;
        assert_eq!(answer.status(), 200, "{}", answer.text());
    }
}

/// The value of `act` in an address.
pub fn act_of(location: &str) -> String {
    let after = location.split("act=").nth(1).unwrap_or_else(|| panic!("no act in {location}"));
    after.split('&').next().expect("it ends").to_owned()
}
