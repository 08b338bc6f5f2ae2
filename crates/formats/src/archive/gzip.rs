//! A gzip stream read with a count: one stream, whole, nothing after it, and no bomb.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};

use flate2::bufread::GzDecoder;

use super::{ArchiveError, bomb, is_bomb};

/// The unpacked bytes of a file.
#[derive(Debug)]
pub(super) struct Unpacked {
    decoder: GzDecoder<BufReader<File>>,
    packed: u64,
    unpacked: u64,
}

pub(super) fn refusal(why: &str) -> ArchiveError {
    ArchiveError::invalid(format!("tar archive not accepted: {why}. See /help/#archives for more information"))
}

impl Unpacked {
    pub(super) fn new(file: File, packed: u64) -> Self {
        Self { decoder: GzDecoder::new(BufReader::with_capacity(64 << 10, file)), packed, unpacked: 0 }
    }

    /// Reads as much of the buffer as there is, which is less than its length only at the end of the stream.
    pub(super) fn fill(&mut self, buffer: &mut [u8]) -> Result<usize, ArchiveError> {
        let mut filled = 0;
        while filled < buffer.len() {
            match self.decoder.read(&mut buffer[filled..]) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) => return Err(self.explain(error)),
            }
        }
        self.unpacked += filled as u64;
        if is_bomb(self.unpacked, self.packed) { Err(bomb()) } else { Ok(filled) }
    }

    fn explain(&self, error: io::Error) -> ArchiveError {
        let untouched = self.decoder.header().is_none() && self.unpacked == 0;
        match error.kind() {
            io::ErrorKind::Interrupted => ArchiveError::Unreadable(error),
            io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof if untouched => {
                ArchiveError::invalid("File is not a tarfile")
            }
            io::ErrorKind::UnexpectedEof => refusal("The gzip stream is truncated"),
            io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => refusal("The gzip stream is damaged"),
            _ => ArchiveError::Unreadable(error),
        }
    }

    /// Requires the stream to be at its end, and the file with it.
    ///
    /// Python reads a second gzip stream as more of the same file, other readers stop after the first.
    pub(super) fn finish(mut self) -> Result<(), ArchiveError> {
        let mut chunk = vec![0; 64 << 10];
        loop {
            let count = self.fill(&mut chunk)?;
            if chunk[..count].iter().any(|byte| *byte != 0) {
                return Err(refusal("Trailing data after the end of the archive"));
            }
            if count < chunk.len() {
                break;
            }
        }
        if self.decoder.get_mut().fill_buf()?.is_empty() {
            return Ok(());
        }
        Err(refusal("Trailing data after the gzip stream"))
    }
}
