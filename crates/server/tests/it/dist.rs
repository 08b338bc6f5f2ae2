//! Small wheels and source distributions, built in memory, and the forms in which clients send them.

use std::io::{Cursor, Write as _};

use data_encoding::BASE64URL_NOPAD;
use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest as _, Sha256};
use zip::write::SimpleFileOptions;

/// A distribution as a client would send it; every part can be changed before it is sent.
#[derive(Clone, Debug)]
pub struct Dist {
    pub filename: String,
    pub bytes: Vec<u8>,
    /// The text fields, in the order in which they are sent.
    pub fields: Vec<(String, String)>,
}

/// What a distribution is made of.
#[derive(Clone, Debug)]
pub struct Recipe {
    kind: Kind,
    filename: String,
    /// The top folder or the dist-info folder, without a slash.
    top: String,
    headers: Vec<(String, String)>,
    body: String,
    files: Vec<(String, Vec<u8>)>,
    without: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Wheel,
    Sdist,
}

/// An ordinary wheel.
pub fn wheel(name: &str, version: &str) -> Recipe {
    tagged(name, version, "py3-none-any")
}

/// A wheel with these tags.
pub fn tagged(name: &str, version: &str, tags: &str) -> Recipe {
    let stem = format!("{}-{version}", underscored(name));
    let recipe = Recipe::new(Kind::Wheel, format!("{stem}-{tags}.whl"), format!("{stem}.dist-info"), name, version);
    recipe.file(&format!("{}/__init__.py", underscored(name)), b"answer = 42\n")
}

/// An ordinary source distribution.
pub fn sdist(name: &str, version: &str) -> Recipe {
    let top = format!("{}-{version}", underscored(name));
    let recipe = Recipe::new(Kind::Sdist, format!("{top}.tar.gz"), top.clone(), name, version);
    recipe.file("pyproject.toml", b"[build-system]\nrequires = []\n")
}

fn underscored(name: &str) -> String {
    name.to_lowercase().replace(['-', '.'], "_")
}

impl Recipe {
    fn new(kind: Kind, filename: String, top: String, name: &str, version: &str) -> Self {
        let headers = [("Metadata-Version", "2.4"), ("Name", name), ("Version", version)];
        let headers = headers.map(|(k, v)| (k.to_owned(), v.to_owned())).to_vec();
        Self { kind, filename, top, headers, body: String::new(), files: Vec::new(), without: Vec::new() }
    }
    /// A header of the metadata, in the archive and in the form.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.retain(|(known, _)| known != name || is_many(name));
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }
    /// The description.
    pub fn description(mut self, text: &str) -> Self {
        text.clone_into(&mut self.body);
        self
    }
    /// A file in it; sdists put it into their top folder.
    pub fn file(mut self, path: &str, bytes: &[u8]) -> Self {
        self.files.push((path.to_owned(), bytes.to_vec()));
        self
    }
    /// Leaves out METADATA, RECORD, WHEEL or PKG-INFO.
    pub fn without(mut self, name: &str) -> Self {
        self.without.push(name.to_owned());
        self
    }
    /// Another file name, and the folder inside that goes with it.
    pub fn named(mut self, filename: &str, top: &str) -> Self {
        filename.clone_into(&mut self.filename);
        top.clone_into(&mut self.top);
        self
    }

    /// Builds it, with the form that describes it.
    pub fn build(self) -> Dist {
        let metadata = self.metadata();
        let bytes = match self.kind {
            Kind::Wheel => self.zip(&metadata),
            Kind::Sdist => self.tar_gz(&metadata),
        };
        let fields = self.fields(&bytes);
        Dist { filename: self.filename, bytes, fields }
    }

    fn metadata(&self) -> String {
        let headers: String = self.headers.iter().map(|(name, value)| format!("{name}: {value}\n")).collect();
        if self.body.is_empty() { headers } else { format!("{headers}\n{}", self.body) }
    }

    fn fields(&self, bytes: &[u8]) -> Vec<(String, String)> {
        let (filetype, pyversion) = match self.kind {
            Kind::Wheel => ("bdist_wheel", "py3"),
            Kind::Sdist => ("sdist", "source"),
        };
        let fixed = [(":action", "file_upload"), ("protocol_version", "1"), ("filetype", filetype), ("pyversion", pyversion)];
        let mut fields: Vec<(String, String)> = fixed.map(|(k, v)| (k.to_owned(), v.to_owned())).to_vec();
        fields.push(("sha256_digest".to_owned(), hex(&Sha256::digest(bytes))));
        fields.push(("blake2_256_digest".to_owned(), blake2_256(bytes)));
        fields.extend(self.headers.iter().map(|(name, value)| (form_key(name), value.clone())));
        if !self.body.is_empty() {
            fields.push(("description".to_owned(), self.body.clone()));
        }
        fields
    }

    fn zip(&self, metadata: &str) -> Vec<u8> {
        let path = |name: &str| format!("{}/{name}", self.top);
        let wheel = b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n".to_vec();
        let mut files = self.files.clone();
        files.push((path("METADATA"), metadata.as_bytes().to_vec()));
        files.push((path("WHEEL"), wheel));
        files.retain(|(name, _)| !self.without.iter().any(|gone| *name == path(gone)));
        let line = |(name, bytes): &(String, Vec<u8>)| {
            format!("{name},sha256={},{}\n", BASE64URL_NOPAD.encode(&Sha256::digest(bytes)), bytes.len())
        };
        let record: String = files.iter().map(line).collect();
        if !self.without.iter().any(|gone| gone == "RECORD") {
            files.push((path("RECORD"), format!("{record}{},,\n", path("RECORD")).into_bytes()));
        }
        let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for (name, bytes) in files {
            zip.start_file(name, SimpleFileOptions::default()).expect("memory takes it");
            zip.write_all(&bytes).expect("memory takes it");
        }
        zip.finish().expect("memory takes it").into_inner()
    }

    fn tar_gz(&self, metadata: &str) -> Vec<u8> {
        let mut files = self.files.clone();
        files.push(("PKG-INFO".to_owned(), metadata.as_bytes().to_vec()));
        files.retain(|(name, _)| !self.without.contains(name));
        let mut tar = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
        for (name, bytes) in files {
            let mut header = tar::Header::new_ustar();
            header.set_size(bytes.len() as u64);
            header.set_mode(0o644);
            header.set_cksum();
            tar.append_data(&mut header, format!("{}/{name}", self.top), bytes.as_slice()).expect("memory takes it");
        }
        tar.into_inner().expect("memory takes it").finish().expect("memory takes it")
    }
}

fn is_many(header: &str) -> bool {
    matches!(header, "Classifier" | "Requires-Dist" | "Project-URL" | "License-File" | "Provides-Extra" | "Dynamic")
}

fn form_key(header: &str) -> String {
    match header {
        "Classifier" => "classifiers".to_owned(),
        "Project-URL" => "project_urls".to_owned(),
        other => other.to_lowercase().replace('-', "_"),
    }
}

fn hex(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(bytes)
}

/// BLAKE2b-256, lower-case hex.
pub fn blake2_256(bytes: &[u8]) -> String {
    hex(&blake2::Blake2b::<blake2::digest::consts::U32>::digest(bytes))
}

impl Dist {
    /// The same with a field set to another value, or added.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.fields.retain(|(known, _)| known != name);
        self.fields.push((name.to_owned(), value.to_owned()));
        self
    }
    /// The same without a field.
    pub fn lacking(mut self, name: &str) -> Self {
        self.fields.retain(|(known, _)| known != name);
        self
    }
    /// The same bytes under another file name.
    pub fn called(mut self, filename: &str) -> Self {
        filename.clone_into(&mut self.filename);
        self
    }
    /// SHA-256, lower-case hex.
    pub fn sha256(&self) -> String {
        hex(&Sha256::digest(&self.bytes))
    }

    /// The body as twine sends it: the fields, then the file.
    pub fn body(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.fields.iter().for_each(|(name, value)| put_text(&mut out, name, value));
        self.put_file(&mut out);
        out.extend_from_slice(format!("--{BOUNDARY}--\r\n").as_bytes());
        out
    }

    /// The body of a client that sends the file before anything else.
    pub fn body_file_first(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.put_file(&mut out);
        self.fields.iter().for_each(|(name, value)| put_text(&mut out, name, value));
        out.extend_from_slice(format!("--{BOUNDARY}--\r\n").as_bytes());
        out
    }

    fn put_file(&self, out: &mut Vec<u8>) {
        let head = format!(
            "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"content\"; filename=\"{}\"\r\nContent-Type: application/octet-stream\r\n\r\n",
            self.filename
        );
        out.extend_from_slice(head.as_bytes());
        out.extend_from_slice(&self.bytes);
        out.extend_from_slice(b"\r\n");
    }
}

/// What parts the body.
pub const BOUNDARY: &str = "4c1d5c4a8d2f4c6f9e";

fn put_text(out: &mut Vec<u8>, name: &str, value: &str) {
    out.extend_from_slice(format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n").as_bytes());
}
