//! The one place that maps a file into memory, and the one place with `unsafe` in it.

use std::fs::File;
use std::io;

use memmap2::Mmap;

/// Maps a file for reading.
#[expect(unsafe_code, reason = "a mapping is only sound while nobody changes the file; the comment says why nobody does")]
pub(super) fn map(file: &File) -> io::Result<Mmap> {
    // SAFETY: a set is written under another name and gets its own by a rename (import.rs), so that no file that was ever mapped
    // is written to: a newer set is another file, and the mapping keeps the old one alive. The manual forbids to change it in place.
    unsafe { Mmap::map(file) }
}
