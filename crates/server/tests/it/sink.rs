//! A mail server for tests: it takes mail, refuses it, hangs, or keeps a mail and hangs up; plain, STARTTLS or TLS.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

/// What the server does with what comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Takes it.
    Accept,
    /// Answers this to a command; `.` is the end of the text.
    Answer(&'static str, &'static str),
    /// Never answers the end of the text.
    Hang,
    /// Takes the mail and hangs up before it says so.
    HangUp,
    /// Takes the mail when the test says so.
    Wait,
}

/// How it can be spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Security {
    None,
    StartTls,
    Tls,
}

/// The server.
pub struct Sink {
    pub address: SocketAddr,
    security: Security,
    authority: String,
    house: Arc<House>,
}

struct House {
    mode: Mutex<Mode>,
    accepted: Mutex<Vec<String>>,
    commands: Mutex<Vec<String>>,
    /// How many texts have come in, accepted or not.
    arrived: watch::Sender<usize>,
    released: watch::Sender<bool>,
    tls: TlsAcceptor,
    security: Security,
}

impl Sink {
    pub async fn open(security: Security) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let (authority, tls) = certificates();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let house = Arc::new(House {
            mode: Mutex::new(Mode::Accept),
            accepted: Mutex::default(),
            commands: Mutex::default(),
            arrived: watch::Sender::new(0),
            released: watch::Sender::new(false),
            tls,
            security,
        });
        let own = Arc::clone(&house);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(converse(Arc::clone(&own), stream));
            }
        });
        Self { address, security, authority, house }
    }

    /// As `mail.url` names it, with credentials.
    pub fn url(&self) -> String {
        let (scheme, asked) = match self.security {
            Security::None => ("smtp", ""),
            Security::StartTls => ("smtp", "?tls=required"),
            Security::Tls => ("smtps", ""),
        };
        format!("{scheme}://strongroom:geheim@localhost:{}{asked}", self.address.port())
    }

    /// Writes the authority that signed its certificate.
    pub fn write_authority(&self, path: &Path) {
        std::fs::write(path, &self.authority).expect("a file can be written");
    }

    pub fn does(&self, mode: Mode) {
        *self.house.mode.lock().expect("not poisoned") = mode;
    }

    /// The mails it took, whole.
    pub fn accepted(&self) -> Vec<String> {
        self.house.accepted.lock().expect("not poisoned").clone()
    }

    /// The Message-IDs of the mails it took.
    pub fn message_ids(&self) -> Vec<String> {
        let id = |mail: &String| mail.lines().find_map(|line| line.strip_prefix("Message-ID: ")).unwrap_or_default().to_owned();
        self.accepted().iter().map(id).collect()
    }

    /// Every command that came, in order.
    pub fn commands(&self) -> Vec<String> {
        self.house.commands.lock().expect("not poisoned").clone()
    }

    /// Waits until this many texts have come in.
    pub async fn until_arrived(&self, texts: usize) {
        let mut arrived = self.house.arrived.subscribe();
        arrived.wait_for(|n| *n >= texts).await.expect("the house stands");
    }

    /// Takes what waits.
    pub fn release(&self) {
        self.house.released.send_replace(true);
    }
}

/// An authority, and a certificate for `localhost` that it signed.
fn certificates() -> (String, TlsAcceptor) {
    let key = KeyPair::generate().expect("a key");
    let mut params = CertificateParams::new(Vec::new()).expect("no names");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = params.self_signed(&key).expect("an authority");
    let issuer = Issuer::new(params, key);
    let own = KeyPair::generate().expect("a key");
    let names = CertificateParams::new(vec!["localhost".to_owned()]).expect("a name");
    let signed = names.signed_by(&own, &issuer).expect("a certificate");
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(own.serialize_der()));
    let config = ServerConfig::builder().with_no_client_auth().with_single_cert(vec![signed.der().clone()], key).expect("they fit");
    (authority.pem(), TlsAcceptor::from(Arc::new(config)))
}

trait Wire: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Wire for T {}

async fn converse(house: Arc<House>, stream: TcpStream) {
    // A client that goes away ends the conversation, as it should.
    let _ = speak(&house, stream).await;
}

async fn speak(house: &House, stream: TcpStream) -> std::io::Result<()> {
    let mut secure = house.security == Security::Tls;
    let wire: Box<dyn Wire> = if secure { Box::new(house.tls.accept(stream).await?) } else { Box::new(stream) };
    let mut wire = BufReader::new(wire);
    wire.write_all(b"220 sink\r\n").await?;
    loop {
        let mut line = String::new();
        if wire.read_line(&mut line).await? == 0 {
            return Ok(());
        }
        house.commands.lock().expect("not poisoned").push(line.trim_end().to_owned());
        let verb = line.split_whitespace().next().unwrap_or_default().to_ascii_uppercase();
        let offer = if house.security == Security::StartTls && !secure { "250-STARTTLS\r\n" } else { "" };
        let usual = match verb.as_str() {
            "EHLO" => format!("250-sink\r\n{offer}250-SMTPUTF8\r\n250 AUTH PLAIN\r\n"),
            "AUTH" => "235 welcome\r\n".to_owned(),
            "DATA" => "354 go on\r\n".to_owned(),
            "STARTTLS" => "220 go on\r\n".to_owned(),
            "QUIT" => "221 bye\r\n".to_owned(),
            _ => "250 OK\r\n".to_owned(),
        };
        let answer = house.answer(&verb).map_or(usual, |own| format!("{own}\r\n"));
        wire.write_all(answer.as_bytes()).await?;
        if verb == "STARTTLS" {
            wire = BufReader::new(Box::new(house.tls.accept(wire.into_inner()).await?));
            secure = true;
        }
        if answer.starts_with("354") && !house.take_text(&mut wire).await? {
            return Ok(());
        }
    }
}

impl House {
    fn mode(&self) -> Mode {
        *self.mode.lock().expect("not poisoned")
    }

    fn answer(&self, verb: &str) -> Option<&'static str> {
        match self.mode() {
            Mode::Answer(to, answer) if to == verb => Some(answer),
            _ => None,
        }
    }

    /// Reads a mail and does with it what the mode says; false when it hangs up.
    async fn take_text(&self, wire: &mut BufReader<Box<dyn Wire>>) -> std::io::Result<bool> {
        let mut text = Vec::new();
        while !text.ends_with(b"\r\n.\r\n") {
            text.push(wire.read_u8().await?);
        }
        self.arrived.send_modify(|n| *n += 1);
        if let Some(own) = self.answer(".") {
            wire.write_all(format!("{own}\r\n").as_bytes()).await?;
            return Ok(true);
        }
        match self.mode() {
            Mode::Hang => std::future::pending::<()>().await,
            Mode::Wait => drop(self.released.subscribe().wait_for(|released| *released).await),
            _ => {}
        }
        self.accepted.lock().expect("not poisoned").push(String::from_utf8_lossy(&text).into_owned());
        if self.mode() == Mode::HangUp {
            return Ok(false);
        }
        wire.write_all(b"250 taken\r\n").await?;
        Ok(true)
    }
}
