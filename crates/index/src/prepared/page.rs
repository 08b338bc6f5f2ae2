//! A page as bytes, in each encoding that somebody asked for, compressed once.

use std::io::Write;

use bytes::Bytes;
use sha2::{Digest, Sha256};
use tokio::sync::OnceCell;

use super::Prepared;
use crate::refused::Refused;

/// How a body is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// As it is.
    Identity,
    /// RFC 1952.
    Gzip,
    /// RFC 7932.
    Brotli,
    /// RFC 8878.
    Zstd,
}

/// What is smaller is never compressed.
const WORTH_COMPRESSING: usize = 512;

impl Encoding {
    /// The name in `Content-Encoding`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Gzip => "gzip",
            Self::Brotli => "br",
            Self::Zstd => "zstd",
        }
    }
}

/// A body on the wire.
#[derive(Clone, Debug)]
pub struct Encoded {
    /// How it is encoded: not as asked, where that would save nothing.
    pub encoding: Encoding,
    /// The bytes.
    pub bytes: Bytes,
    /// The strong validator of exactly these bytes, quotes included.
    pub etag: String,
}

/// A rendered page and its encodings.
#[derive(Debug)]
pub struct ReadyPage {
    /// The serial of what it shows.
    pub serial: i64,
    identity: Encoded,
    gzip: OnceCell<Encoded>,
    brotli: OnceCell<Encoded>,
    zstd: OnceCell<Encoded>,
}

impl ReadyPage {
    /// A page from its bytes; hashes them, so not on an async thread.
    #[must_use]
    pub fn new(serial: i64, bytes: Vec<u8>) -> Self {
        let identity = Encoded::new(Encoding::Identity, bytes.into());
        Self { serial, identity, gzip: OnceCell::new(), brotli: OnceCell::new(), zstd: OnceCell::new() }
    }

    /// About how much memory it takes with its encodings.
    #[must_use]
    pub fn weight(&self) -> usize {
        self.identity.bytes.len() * 3 / 2 + 1024
    }

    /// The body in this encoding, compressed the first time.
    ///
    /// # Errors
    /// `Fault` when compression fails.
    pub async fn encoded(&self, prepared: &Prepared, encoding: Encoding) -> Result<&Encoded, Refused> {
        let cell = match encoding {
            Encoding::Identity => return Ok(&self.identity),
            _ if self.identity.bytes.len() < WORTH_COMPRESSING => return Ok(&self.identity),
            Encoding::Gzip => &self.gzip,
            Encoding::Brotli => &self.brotli,
            Encoding::Zstd => &self.zstd,
        };
        cell.get_or_try_init(|| async {
            let slot = prepared.slot().await;
            let bytes = self.identity.bytes.clone();
            let work = tokio::task::spawn_blocking(move || {
                let done = compress(&bytes, encoding).map(|bytes| Encoded::new(encoding, bytes.into()));
                drop(slot);
                done
            });
            let done = work.await.map_err(|e| anyhow::anyhow!("compression did not end: {e}"))?;
            done.map_err(|e| anyhow::Error::new(e).context("compression").into())
        })
        .await
    }
}

impl Encoded {
    fn new(encoding: Encoding, bytes: Bytes) -> Self {
        let digest = Sha256::digest(&bytes);
        Self { encoding, bytes, etag: format!("\"{}\"", data_encoding::BASE64URL_NOPAD.encode(&digest[..18])) }
    }
}

fn compress(bytes: &[u8], encoding: Encoding) -> std::io::Result<Vec<u8>> {
    match encoding {
        Encoding::Identity => Ok(bytes.to_vec()),
        Encoding::Gzip => {
            let mut out = flate2::write::GzEncoder::new(Vec::with_capacity(bytes.len() / 4), flate2::Compression::new(6));
            out.write_all(bytes)?;
            out.finish()
        }
        Encoding::Brotli => {
            let parameters = brotli::enc::BrotliEncoderParams { quality: 5, lgwin: 22, size_hint: bytes.len(), ..Default::default() };
            let mut out = Vec::with_capacity(bytes.len() / 4);
            brotli::BrotliCompress(&mut std::io::Cursor::new(bytes), &mut out, &parameters)?;
            Ok(out)
        }
        Encoding::Zstd => zstd::stream::encode_all(bytes, 6),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    fn text() -> Vec<u8> {
        (0..5000).flat_map(|n: u32| format!("<a href=\"/files/{n}\">file-{n}</a>\n").into_bytes()).collect()
    }

    #[tokio::test]
    async fn each_encoding_gives_back_the_same_bytes_under_an_etag_of_its_own() {
        let prepared = Prepared::default();
        let page = ReadyPage::new(1, text());
        let gzip = page.encoded(&prepared, Encoding::Gzip).await.unwrap();
        let mut back = Vec::new();
        flate2::read::GzDecoder::new(&gzip.bytes[..]).read_to_end(&mut back).unwrap();
        assert_eq!(back, text());
        let zstd = page.encoded(&prepared, Encoding::Zstd).await.unwrap();
        assert_eq!(zstd::stream::decode_all(&zstd.bytes[..]).unwrap(), text());
        let brotli = page.encoded(&prepared, Encoding::Brotli).await.unwrap();
        let mut back = Vec::new();
        brotli::BrotliDecompress(&mut &brotli.bytes[..], &mut back).unwrap();
        assert_eq!(back, text());
        let identity = page.encoded(&prepared, Encoding::Identity).await.unwrap();
        let etags: std::collections::BTreeSet<_> = [identity, gzip, zstd, brotli].iter().map(|e| e.etag.clone()).collect();
        assert_eq!(etags.len(), 4);
    }

    #[tokio::test]
    async fn small_pages_are_sent_as_they_are() {
        let page = ReadyPage::new(1, b"404".to_vec());
        assert_eq!(page.encoded(&Prepared::default(), Encoding::Brotli).await.unwrap().encoding, Encoding::Identity);
    }
}
