//! A machine that takes the audit trail for tests: it takes posts, refuses them, hangs, hangs up after taking, or sends elsewhere.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// What the machine does with the next post.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Takes it.
    Take,
    /// Answers with this status.
    Answer(u16),
    /// Reads it and says nothing.
    Hang,
    /// Keeps it and hangs up before it says so.
    HangUp,
    /// Sends elsewhere: to itself, where it would be taken.
    Redirect,
}

/// A post as it came.
#[derive(Clone, Debug)]
pub struct Post {
    pub signature: String,
    pub body: Vec<u8>,
}

/// The machine.
pub struct Taker {
    /// As `audit.webhook_url` names it.
    pub url: String,
    house: Arc<House>,
}

struct House {
    mode: Mutex<Mode>,
    came: Mutex<usize>,
    kept: Mutex<Vec<Post>>,
}

impl Taker {
    pub async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("it is bound").port();
        let house = Arc::new(House { mode: Mutex::new(Mode::Take), came: Mutex::new(0), kept: Mutex::default() });
        let own = Arc::clone(&house);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let house = Arc::clone(&own);
                // A client that goes away ends the conversation, as it should.
                tokio::spawn(async move { drop(speak(&house, stream).await) });
            }
        });
        Self { url: format!("http://127.0.0.1:{port}/trail"), house }
    }

    pub fn does(&self, mode: Mode) {
        *self.house.mode.lock().expect("not poisoned") = mode;
    }

    /// How many posts came, taken or not.
    pub fn came(&self) -> usize {
        *self.house.came.lock().expect("not poisoned")
    }

    /// The posts that it kept, in the order in which they came.
    pub fn kept(&self) -> Vec<Post> {
        self.house.kept.lock().expect("not poisoned").clone()
    }
}

async fn speak(house: &House, stream: TcpStream) -> std::io::Result<()> {
    let mut wire = BufReader::new(stream);
    loop {
        let (mut signature, mut length) = (String::new(), 0);
        loop {
            let mut line = String::new();
            if wire.read_line(&mut line).await? == 0 {
                return Ok(());
            }
            let line = line.trim_end();
            if line.is_empty() {
                break;
            }
            match line.split_once(": ").map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned())) {
                Some((name, value)) if name == "strongroom-signature" => signature = value,
                Some((name, value)) if name == "content-length" => length = value.parse().expect("a number"),
                _ => {}
            }
        }
        let mut body = vec![0; length];
        wire.read_exact(&mut body).await?;
        *house.came.lock().expect("not poisoned") += 1;
        let mode = *house.mode.lock().expect("not poisoned");
        if matches!(mode, Mode::Take | Mode::HangUp) {
            house.kept.lock().expect("not poisoned").push(Post { signature, body });
        }
        let answer = match mode {
            Mode::Take => "HTTP/1.1 204 No Content\r\n\r\n".to_owned(),
            Mode::Answer(status) => format!("HTTP/1.1 {status} No\r\nContent-Length: 0\r\n\r\n"),
            Mode::Redirect => "HTTP/1.1 307 There\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n".to_owned(),
            Mode::Hang => std::future::pending().await,
            Mode::HangUp => return Ok(()),
        };
        wire.write_all(answer.as_bytes()).await?;
    }
}
