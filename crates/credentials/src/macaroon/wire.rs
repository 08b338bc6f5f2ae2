//! The bytes of a macaroon, version 2: fields of a type, a length and data,
//! grouped into sections that a zero ends.
//!
//! # Source
//! libmacaroons, `doc/format.txt`.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;

use super::{MOST_CAVEATS, Macaroon, TokenRefused};

const VERSION: u8 = 2;
const END: u8 = 0;
const LOCATION: u8 = 1;
const IDENTIFIER: u8 = 2;
const THIRD_PARTY_KEY: u8 = 4;
const SIGNATURE: u8 = 6;

pub(super) fn encode(macaroon: &Macaroon) -> String {
    let mut out = vec![VERSION];
    put(&mut out, LOCATION, macaroon.location.as_bytes());
    put(&mut out, IDENTIFIER, &macaroon.identifier);
    out.push(END);
    for caveat in &macaroon.caveats {
        put(&mut out, IDENTIFIER, caveat);
        out.push(END);
    }
    out.push(END);
    put(&mut out, SIGNATURE, &macaroon.signature);
    BASE64.encode(out)
}

fn put(out: &mut Vec<u8>, field: u8, data: &[u8]) {
    out.push(field);
    let mut length = data.len();
    while length > 0x7f {
        // The mask leaves seven bits.
        out.push((length & 0x7f) as u8 | 0x80);
        length >>= 7;
    }
    out.push(length as u8);
    out.extend_from_slice(data);
}

pub(super) fn decode(text: &str) -> Result<Macaroon, TokenRefused> {
    let bytes = BASE64.decode(text).map_err(|_| TokenRefused::Encoding)?;
    let (&VERSION, rest) = bytes.split_first().ok_or(TokenRefused::Version)? else {
        return Err(TokenRefused::Version);
    };
    let mut fields = Fields { rest };
    let location = fields.data(LOCATION)?.to_vec();
    let identifier = fields.data(IDENTIFIER)?.to_vec();
    fields.end()?;
    let caveats = caveats(&mut fields)?;
    let signature = fields.data(SIGNATURE)?;
    if !fields.rest.is_empty() {
        return Err(TokenRefused::Trailing);
    }
    Ok(Macaroon {
        location: String::from_utf8(location).map_err(|_| TokenRefused::Damaged)?,
        identifier,
        caveats,
        signature: signature.try_into().map_err(|_| TokenRefused::Damaged)?,
    })
}

fn caveats(fields: &mut Fields<'_>) -> Result<Vec<Vec<u8>>, TokenRefused> {
    let mut caveats = Vec::new();
    loop {
        match fields.kind()? {
            END => return Ok(caveats),
            IDENTIFIER if caveats.len() == MOST_CAVEATS => {
                return Err(TokenRefused::TooManyCaveats);
            }
            IDENTIFIER => caveats.push(fields.bytes()?.to_vec()),
            // Only a third-party caveat has a place of its own.
            LOCATION => return Err(TokenRefused::ThirdParty),
            _ => return Err(TokenRefused::Damaged),
        }
        match fields.kind()? {
            END => {}
            THIRD_PARTY_KEY => return Err(TokenRefused::ThirdParty),
            _ => return Err(TokenRefused::Damaged),
        }
    }
}

struct Fields<'a> {
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    fn kind(&mut self) -> Result<u8, TokenRefused> {
        let (kind, rest) = self.rest.split_first().ok_or(TokenRefused::Damaged)?;
        self.rest = rest;
        Ok(*kind)
    }

    fn end(&mut self) -> Result<(), TokenRefused> {
        match self.kind()? {
            END => Ok(()),
            _ => Err(TokenRefused::Damaged),
        }
    }

    fn data(&mut self, kind: u8) -> Result<&'a [u8], TokenRefused> {
        if self.kind()? != kind {
            return Err(TokenRefused::Damaged);
        }
        self.bytes()
    }

    fn bytes(&mut self) -> Result<&'a [u8], TokenRefused> {
        let length = self.length()?;
        let (data, rest) = self.rest.split_at_checked(length).ok_or(TokenRefused::Damaged)?;
        self.rest = rest;
        Ok(data)
    }

    /// A length in seven-bit groups, lowest first. Two groups reach 16 KiB, which
    /// no token does; a needless last group would give it a second spelling.
    fn length(&mut self) -> Result<usize, TokenRefused> {
        let low = usize::from(self.kind()?);
        if low < 0x80 {
            return Ok(low);
        }
        match usize::from(self.kind()?) {
            high @ 1..0x80 => Ok(low & 0x7f | high << 7),
            _ => Err(TokenRefused::Damaged),
        }
    }
}
