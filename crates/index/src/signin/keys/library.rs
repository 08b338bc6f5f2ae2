//! What the library is asked, and how its answers are read. Pure but for its random challenges.
//!
//! The library verifies; what it leaves to the caller is here and in `judging`: embedded pages, kinds, lengths, the counter's case.

use data_encoding::BASE64URL_NOPAD;
use serde::Deserialize;
use serde_json::Value;
use url::Url;
use webauthn_rs_core::WebauthnCore;
use webauthn_rs_core::error::WebauthnError;
use webauthn_rs_core::proto::{AuthenticationState, Credential, ExtnState, RegistrationState};
use webauthn_rs_proto::{
    AuthenticatorSelectionCriteria, PublicKeyCredential, RegisterPublicKeyCredential, RequestRegistrationExtensions,
    ResidentKeyRequirement, UserVerificationPolicy,
};

use super::Why;
use super::ceremony::LIFETIME;
use crate::env::Env;
use crate::ids::AccountId;
use crate::refused::Refused;

/// The longest label of a key, in characters.
pub const LABEL_MOST: usize = 64;
/// The longest identifier of a credential, in bytes (WebAuthn L3 §7.1 step 25).
const ID_MOST: usize = 1023;
/// The longest answer that is read, in bytes: attestations carry certificates, ours none.
const ANSWER_MOST: usize = 32 * 1024;

/// The relying party: the host of the public address, and its one origin.
fn party(env: &Env) -> Result<WebauthnCore, Refused> {
    let url = &env.config.public_url;
    let origin = Url::parse(&url.origin().ascii_serialization()).map_err(|e| anyhow::anyhow!("server.public_url has no origin: {e}"))?;
    let host = url.host_str().unwrap_or("localhost");
    Ok(WebauthnCore::new_unsafe_experts_only(&env.config.name, host, vec![origin], LIFETIME, Some(false), Some(false)))
}

/// A challenge: what the browser is given, the bytes that name it, what the library must see again.
pub(super) struct Challenge<S> {
    pub options: Value,
    pub bytes: Vec<u8>,
    pub state: S,
}

/// The challenge for a new key: any kind, discoverable and verifying its user where it can, no attestation, none that is known.
pub(super) fn to_add(
    env: &Env,
    (account, username): (AccountId, &str),
    known: &[Vec<u8>],
) -> Result<Challenge<RegistrationState>, Refused> {
    let party = party(env)?;
    let extensions = RequestRegistrationExtensions {
        cred_protect: None,
        uvm: None,
        cred_props: Some(true),
        min_pin_length: None,
        hmac_create_secret: None,
    };
    let builder = party
        .new_challenge_register_builder(account.0.as_bytes(), username, username)
        .map_err(fault)?
        .user_verification_policy(UserVerificationPolicy::Preferred)
        .exclude_credentials(Some(known.to_vec()))
        .extensions(Some(extensions));
    let (mut made, state) = party.generate_challenge_register(builder).map_err(fault)?;
    made.public_key.authenticator_selection = Some(AuthenticatorSelectionCriteria {
        authenticator_attachment: None,
        resident_key: Some(ResidentKeyRequirement::Preferred),
        require_resident_key: false,
        user_verification: UserVerificationPolicy::Preferred,
    });
    Ok(Challenge { bytes: made.public_key.challenge.clone(), options: serde_json::to_value(&made.public_key)?, state })
}

/// A challenge for keys that exist; none stands for any discoverable one, which then must verify its user.
pub(super) fn to_use(env: &Env, keys: Vec<Credential>) -> Result<Challenge<AuthenticationState>, Refused> {
    let party = party(env)?;
    let policy = if keys.is_empty() { UserVerificationPolicy::Required } else { UserVerificationPolicy::Preferred };
    let builder = party.new_challenge_authenticate_builder(keys, Some(policy)).map_err(fault)?;
    let (made, mut state) = party.generate_challenge_authenticate(builder).map_err(fault)?;
    // The rows are read again when the answer comes: what stands in the state would be old.
    state.set_allowed_credentials(Vec::new());
    Ok(Challenge { bytes: made.public_key.challenge.clone(), options: serde_json::to_value(&made.public_key)?, state })
}

fn fault(e: WebauthnError) -> Refused {
    anyhow::anyhow!("a challenge could not be made: {e}").into()
}

/// An answer to a challenge, read but not yet verified.
#[derive(Clone, Debug)]
pub(super) struct Read<A> {
    /// The challenge that it names.
    pub challenge: Vec<u8>,
    /// Whether it came from a page inside another site's page.
    embedded: bool,
    pub answer: A,
}

impl<A> Read<A> {
    fn of(client_data: &[u8], answer: A) -> Result<Self, Why> {
        let data: ClientData = serde_json::from_slice(client_data).map_err(|_| Why::Unreadable)?;
        let challenge = BASE64URL_NOPAD.decode(data.challenge.as_bytes()).map_err(|_| Why::Unreadable)?;
        Ok(Self { challenge, embedded: data.top_origin.is_some() || data.cross_origin == Some(true), answer })
    }
    const fn check_page(&self) -> Result<(), Why> {
        if self.embedded { Err(EMBEDDED) } else { Ok(()) }
    }
}

const EMBEDDED: Why = Why::Wrong("the answer came from an embedded page");

/// What we read of the client data ourselves; the library reads the rest, but looks for embedded pages in new keys only.
#[derive(Deserialize)]
struct ClientData {
    challenge: String,
    #[serde(rename = "crossOrigin")]
    cross_origin: Option<bool>,
    #[serde(rename = "topOrigin")]
    top_origin: Option<Value>,
}

fn check_shape(kind: &str, id: &str, raw_id: &[u8]) -> Result<(), Why> {
    if raw_id.is_empty() || raw_id.len() > ID_MOST {
        return Err(Why::Wrong("the identifier of the security key is too long"));
    }
    let same = BASE64URL_NOPAD.encode(raw_id) == id;
    if kind == "public-key" && same { Ok(()) } else { Err(Why::Unreadable) }
}

/// Reads the text of a `RegistrationResponseJSON`.
pub(super) fn read_new(text: &str) -> Result<Read<RegisterPublicKeyCredential>, Why> {
    let answer: RegisterPublicKeyCredential = read(text)?;
    check_shape(&answer.type_, &answer.id, &answer.raw_id)?;
    Read::of(&answer.response.client_data_json.clone(), answer)
}

/// Reads the text of an `AuthenticationResponseJSON`.
pub(super) fn read_used(text: &str) -> Result<Read<PublicKeyCredential>, Why> {
    let answer: PublicKeyCredential = read(text)?;
    check_shape(&answer.type_, &answer.id, &answer.raw_id)?;
    Read::of(&answer.response.client_data_json.clone(), answer)
}

fn read<A: serde::de::DeserializeOwned>(text: &str) -> Result<A, Why> {
    if text.len() > ANSWER_MOST {
        return Err(Why::Unreadable);
    }
    serde_json::from_str(text).map_err(|_| Why::Unreadable)
}

/// Verifies a new key.
///
/// # Source
/// WebAuthn L3 §7.1.
pub(super) fn verify_new(
    env: &Env,
    read: &Read<RegisterPublicKeyCredential>,
    state: &RegistrationState,
) -> Result<Result<Credential, Why>, Refused> {
    let party = party(env)?;
    let verified = read.check_page().and_then(|()| party.register_credential(&read.answer, state, None).map_err(|e| classify(&e)));
    Ok(verified.and_then(|made| {
        // What is stored is what was signed, not what stands beside it.
        if made.cred_id != read.answer.raw_id {
            Err(Why::Wrong("the identifier of the security key is not the one it signed"))
        } else {
            Ok(made)
        }
    }))
}

/// Whether the browser says that the new key can sign in without a user name. Unsigned: a hint for pages, never for a decision.
pub(super) fn is_discoverable(made: &Credential) -> Option<bool> {
    match &made.extensions.cred_props {
        ExtnState::Set(props) | ExtnState::Unsigned(props) => props.rk,
        _ => None,
    }
}

/// What a verified assertion says.
pub(super) struct Verified {
    pub counter: u32,
    pub backed_up: bool,
    pub user_verified: bool,
}

/// Verifies an assertion by one key.
///
/// # Source
/// WebAuthn L3 §7.2.
pub(super) fn verify_used(
    env: &Env,
    read: &Read<PublicKeyCredential>,
    state: &AuthenticationState,
    key: &Credential,
) -> Result<Result<Verified, Why>, Refused> {
    let party = party(env)?;
    let verified =
        read.check_page().and_then(|()| party.authenticate_single_credential(&read.answer, state, key).map_err(|e| classify(&e)));
    Ok(verified.map(|result| Verified {
        counter: result.counter(),
        backed_up: result.backup_state(),
        user_verified: result.user_verified(),
    }))
}

/// The library's errors in our words.
fn classify(e: &WebauthnError) -> Why {
    match e {
        WebauthnError::UserNotVerified => Why::NotVerified,
        WebauthnError::CredentialPossibleCompromise => Why::Cloned,
        WebauthnError::InvalidClientDataType => Why::Wrong("the answer is of another type"),
        WebauthnError::MismatchedChallenge => Why::Stale,
        WebauthnError::InvalidRPOrigin => Why::Wrong("the answer came from another site"),
        WebauthnError::InvalidRPIDHash => Why::Wrong("the security key answered another site"),
        WebauthnError::CredentialCrossOrigin => EMBEDDED,
        WebauthnError::UserNotPresent => Why::Wrong("nobody touched the security key"),
        WebauthnError::CredentialBackupEligibilityInconsistent => Why::Wrong("the security key changed whether it can be copied"),
        WebauthnError::CredentialMayNotBeHardwareBound => Why::Wrong("the security key says that it is copied and cannot be"),
        WebauthnError::AuthenticationFailure | WebauthnError::SignatureInvalid => Why::Wrong("the signature of the security key is wrong"),
        WebauthnError::CredentialAlteredAlgFromRequest => Why::Wrong("the security key is known already, or of a kind that is not offered"),
        WebauthnError::AttestationNotSupported => Why::Wrong("the security key sent an attestation that nobody asked for"),
        _ => Why::Unreadable,
    }
}
