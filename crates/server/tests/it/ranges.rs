//! A range endpoint for tests: it lists what it is told to, fails in every way that a service on the network can, and remembers what
//! it was asked.

use std::sync::{Arc, Mutex};

use credentials::password::Password;
use credentials::secret::Secret;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// What the endpoint does with the next question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Answers, with padding among the rows.
    Answer,
    /// Answers with padding alone, the password itself among it.
    PadOnly,
    /// Takes the question and says nothing.
    Hang,
    /// Begins an answer and says no more.
    Stall,
    /// Hangs up.
    HangUp,
    /// Is busy.
    Busy,
    /// Sends elsewhere, where the answer would be right.
    Redirect,
    /// Answers without end.
    Flood,
    /// Answers with a page for people.
    Garbage,
}

impl Mode {
    /// Everything that is no answer.
    pub const OUTAGES: [Self; 7] = [Self::Hang, Self::Stall, Self::HangUp, Self::Busy, Self::Redirect, Self::Flood, Self::Garbage];
}

/// The endpoint.
pub struct Ranges {
    /// As `passwords.breach_range_url` names it.
    pub url: String,
    house: Arc<House>,
}

struct House {
    mode: Mutex<Mode>,
    listed: Mutex<Vec<String>>,
    asked: Mutex<Vec<Vec<String>>>,
}

/// The SHA-1 of a password in upper-case hex, as public lists hold it.
pub fn sha1(password: &str) -> String {
    data_encoding::HEXUPPER.encode(&Password::typed(&Secret::new(password)).listed_as())
}

impl Ranges {
    pub async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("it is bound").port();
        let house = Arc::new(House { mode: Mutex::new(Mode::Answer), listed: Mutex::default(), asked: Mutex::default() });
        let own = Arc::clone(&house);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let house = Arc::clone(&own);
                // A client that goes away ends the conversation, as it should.
                tokio::spawn(async move { drop(speak(&house, stream).await) });
            }
        });
        Self { url: format!("http://127.0.0.1:{port}/range/"), house }
    }

    pub fn does(&self, mode: Mode) {
        *self.house.mode.lock().expect("not poisoned") = mode;
    }

    /// Lists a password from now on.
    pub fn list(&self, password: &str) {
        self.house.listed.lock().expect("not poisoned").push(sha1(password));
    }

    /// Every request so far: its first line and its headers.
    pub fn asked(&self) -> Vec<Vec<String>> {
        self.house.asked.lock().expect("not poisoned").clone()
    }
}

async fn speak(house: &House, stream: TcpStream) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    let mut head = Vec::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(());
        }
        if line.trim().is_empty() {
            break;
        }
        head.push(line.trim_end().to_owned());
    }
    house.asked.lock().expect("not poisoned").push(head.clone());
    let path = head[0].split(' ').nth(1).unwrap_or_default().to_owned();
    let mode = *house.mode.lock().expect("not poisoned");
    match mode {
        Mode::Hang => std::future::pending().await,
        Mode::Stall => {
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n0018A45C4D1DEF81644B54AB7F969B88D65:1\r\n").await?;
            std::future::pending().await
        }
        Mode::HangUp => Ok(()),
        Mode::Busy => answer(&mut stream, "503 Service Unavailable", "", "busy").await,
        Mode::Redirect => {
            let elsewhere = format!("Location: {}\r\n", path.replace("/range/", "/elsewhere/"));
            if path.starts_with("/elsewhere/") {
                return answer(&mut stream, "200 OK", "", &rows(house, &path, 1)).await;
            }
            answer(&mut stream, "302 Found", &elsewhere, "").await
        }
        Mode::Flood => {
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n").await?;
            loop {
                stream.write_all("0018A45C4D1DEF81644B54AB7F969B88D65:1\r\n".repeat(1000).as_bytes()).await?;
            }
        }
        Mode::Garbage => answer(&mut stream, "200 OK", "", "<!doctype html><title>Sign in to this network</title>").await,
        Mode::Answer => answer(&mut stream, "200 OK", "", &rows(house, &path, 7)).await,
        Mode::PadOnly => answer(&mut stream, "200 OK", "", &rows(house, &path, 0)).await,
    }
}

/// The suffixes of what is listed under the prefix, among others.
fn rows(house: &House, path: &str, count: u32) -> String {
    let prefix = path.rsplit('/').next().unwrap_or_default();
    let mut text = "0018A45C4D1DEF81644B54AB7F969B88D65:3\r\n".to_owned();
    for hash in house.listed.lock().expect("not poisoned").iter().filter_map(|hash| hash.strip_prefix(prefix)) {
        text += &format!("{hash}:{count}\r\n");
    }
    text + "FFFFF2B0C0A0B8A1C4D1DEF81644B54AB7F:0"
}

async fn answer(stream: &mut BufReader<TcpStream>, status: &str, headers: &str, body: &str) -> std::io::Result<()> {
    let text = format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len());
    stream.write_all(text.as_bytes()).await?;
    stream.shutdown().await
}
