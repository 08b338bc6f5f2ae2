//! Drives index reads open-loop at half their capacity, with and without a flood of logins beside them: `bench/flood.py` runs it.
//!
//! Requests are sent when they are due, whether or not earlier ones were answered, and a time is measured from when its request was
//! due: a server that stalls cannot hide it. Arguments: address, seconds, rounds.
//!
//! Beside each round stands another one, in which a process of its own does the same hashes as the lane does, one after another, at the
//! same priority and on the same processor: what hashing on this machine does to whatever runs beside it, whoever hashes.
//!
//! Before that it says how many logins a second the flood gets alone, and how many hashes the processors that the lane has would do in
//! that time: what logins cost beside hashing is the difference.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context, ensure};
use credentials::entropy::SystemEntropy;
use credentials::keys::InstanceKeys;
use credentials::password::{Parameters, Password, hash};
use credentials::secret::Secret;
use index::clock::Stopwatch;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinSet;

/// How many connections read.
const READERS: usize = 64;
/// How many log in at once: fewer than may wait for the hashing lane, so that each costs a hash.
const FLOODERS: usize = 32;
/// How often due requests are sent.
const TICK: Duration = Duration::from_millis(1);
/// How much the median may rise.
const MOST: f64 = 1.10;

/// A connection that is kept.
struct Connection {
    stream: BufReader<TcpStream>,
}

struct Answer {
    status: u16,
    cookies: Vec<String>,
    body: Vec<u8>,
}

impl Connection {
    async fn open(address: &str) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream: BufReader::with_capacity(1 << 17, stream) })
    }

    async fn ask(&mut self, request: &str) -> anyhow::Result<Answer> {
        self.stream.get_mut().write_all(request.as_bytes()).await?;
        let (mut status, mut length, mut cookies) = (0, 0, Vec::new());
        loop {
            let mut line = String::new();
            ensure!(self.stream.read_line(&mut line).await? > 0, "the server hung up");
            let line = line.trim_end();
            if line.is_empty() {
                break;
            }
            if let Some(code) = line.strip_prefix("HTTP/1.1 ") {
                status = code.get(..3).context("a status")?.parse()?;
            } else if let Some((name, value)) = line.split_once(": ") {
                match name.to_ascii_lowercase().as_str() {
                    "content-length" => length = value.parse()?,
                    "set-cookie" => cookies.push(value.split(';').next().unwrap_or_default().to_owned()),
                    _ => {}
                }
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).await?;
        Ok(Answer { status, cookies, body })
    }
}

fn read_request(address: &str) -> Arc<str> {
    let accept = "Accept: application/vnd.pypi.simple.v1+json\r\nAccept-Encoding: gzip\r\n";
    Arc::from(format!("GET /simple/bench/ HTTP/1.1\r\nHost: {address}\r\n{accept}\r\n"))
}

/// How many reads a second are answered when each connection sends the next one at once.
async fn capacity(address: &str, time: Duration) -> anyhow::Result<f64> {
    let request = read_request(address);
    let mut running = JoinSet::new();
    let began = Stopwatch::start();
    for _ in 0..READERS {
        let (address, request) = (address.to_owned(), Arc::clone(&request));
        running.spawn(async move {
            let mut connection = Connection::open(&address).await?;
            let mut answered = 0_u32;
            while began.elapsed() < time {
                ensure!(connection.ask(&request).await?.status == 200, "a read was refused");
                answered += 1;
            }
            Ok(answered)
        });
    }
    let mut answered = 0.0;
    while let Some(some) = running.join_next().await {
        answered += f64::from(some??);
    }
    Ok(answered / began.elapsed().as_secs_f64())
}

/// The times of reads that were due at this rate, sorted.
async fn reads(address: &str, rate: f64, time: Duration) -> anyhow::Result<Vec<Duration>> {
    let (due, waiting) = mpsc::unbounded_channel::<Stopwatch>();
    let waiting = Arc::new(Mutex::new(waiting));
    let request = read_request(address);
    let mut running = JoinSet::new();
    for _ in 0..READERS {
        let (address, request, waiting) = (address.to_owned(), Arc::clone(&request), Arc::clone(&waiting));
        running.spawn(async move {
            let mut connection = Connection::open(&address).await?;
            let mut times = Vec::new();
            loop {
                let next = waiting.lock().await.recv().await;
                let Some(due) = next else { return anyhow::Ok(times) };
                ensure!(connection.ask(&request).await?.status == 200, "a read was refused");
                times.push(due.elapsed());
            }
        });
    }
    send_when_due(&due, rate, time).await;
    drop(due);
    let mut times = Vec::new();
    while let Some(some) = running.join_next().await {
        times.extend(some??);
    }
    times.sort_unstable();
    Ok(times)
}

async fn send_when_due(due: &mpsc::UnboundedSender<Stopwatch>, rate: f64, time: Duration) {
    let mut ticks = tokio::time::interval(TICK);
    let began = Stopwatch::start();
    let mut sent = 0.0;
    while began.elapsed() < time {
        ticks.tick().await;
        let now = Stopwatch::start();
        while sent < began.elapsed().as_secs_f64() * rate {
            let _ = due.send(now);
            sent += 1.0;
        }
    }
}

/// Logs in with a wrong password until told to stop.
async fn flood(address: String, stop: Arc<AtomicBool>, done: Arc<AtomicUsize>) -> anyhow::Result<()> {
    let mut connection = Connection::open(&address).await?;
    let page = connection.ask(&format!("GET /account/login/ HTTP/1.1\r\nHost: {address}\r\n\r\n")).await?;
    let text = String::from_utf8(page.body)?;
    let token = text.split("name=\"csrf_token\" value=\"").nth(1).and_then(|rest| rest.split('"').next()).context("a form token")?;
    let body = format!("csrf_token={token}&username=ada&password=a-wrong-password");
    let request = format!(
        "POST /account/login/ HTTP/1.1\r\nHost: {address}\r\nOrigin: http://{address}\r\nCookie: {}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
        page.cookies.join("; "),
        body.len()
    );
    while !stop.load(Ordering::Relaxed) {
        let answer = connection.ask(&request).await?;
        ensure!(answer.status == 422, "a login was answered {}", answer.status);
        done.fetch_add(1, Ordering::Relaxed);
    }
    Ok(())
}

/// What is done beside a flood, and how many logins a second were answered meanwhile.
async fn flooded<T>(address: &str, during: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<(T, f64)> {
    let (stop, done) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let mut running = JoinSet::new();
    for _ in 0..FLOODERS {
        running.spawn(flood(address.to_owned(), Arc::clone(&stop), Arc::clone(&done)));
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    let (before, began) = (done.load(Ordering::Relaxed), Stopwatch::start());
    let out = during.await?;
    let logins = u32::try_from(done.load(Ordering::Relaxed) - before)?;
    let per_second = f64::from(logins) / began.elapsed().as_secs_f64();
    stop.store(true, Ordering::Relaxed);
    while let Some(ended) = running.join_next().await {
        ended??;
    }
    Ok((out, per_second))
}

/// How many hashes a second half of the processors do, which is what the lane has for strangers: medians of one processor after another.
fn hashes() -> anyhow::Result<f64> {
    let lanes = u32::try_from(std::thread::available_parallelism()?.get().div_ceil(2))?;
    let (keys, password) = (InstanceKeys::generate(&SystemEntropy), Password::typed(&Secret::new("a-wrong-password".to_owned())));
    let mut times: Vec<f64> = (0..15)
        .map(|_| {
            let began = Stopwatch::start();
            drop(hash(&password, Parameters::default(), &keys, &SystemEntropy));
            began.elapsed().as_secs_f64()
        })
        .collect();
    times.sort_by(f64::total_cmp);
    Ok(f64::from(lanes) / times[times.len() / 2])
}

/// What is done while a process of its own hashes without a pause, at the priority and on the processor of the lane's idle threads.
async fn beside_hashing<T>(during: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let last = (std::thread::available_parallelism()?.get() - 1).to_string();
    let mut command = std::process::Command::new("chrt");
    command.args(["--idle", "0", "taskset", "--cpu-list", &last]).arg(std::env::current_exe()?).arg("hash");
    let mut hashing = command.spawn().context("chrt and taskset are in util-linux")?;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let out = during.await;
    hashing.kill()?;
    hashing.wait()?;
    out
}

/// Hashes until it is killed, in memory that is kept.
fn hash_without_a_pause() -> ! {
    credentials::password::keep_memory();
    let (keys, password) = (InstanceKeys::generate(&SystemEntropy), Password::typed(&Secret::new("a-wrong-password".to_owned())));
    loop {
        drop(hash(&password, Parameters::default(), &keys, &SystemEntropy));
    }
}

fn middle(mut ratios: Vec<f64>) -> f64 {
    ratios.sort_by(f64::total_cmp);
    ratios[ratios.len() / 2]
}

fn millis(sorted: &[Duration], percent: usize) -> f64 {
    sorted[(sorted.len() - 1) * percent / 100].as_secs_f64() * 1000.0
}

#[tokio::main]
#[expect(clippy::print_stdout, reason = "what was measured is what the program is for")]
async fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments == ["hash"] {
        hash_without_a_pause();
    }
    let [address, seconds, rounds] = arguments.as_slice() else { anyhow::bail!("usage: flood ADDRESS SECONDS ROUNDS") };
    let (time, rounds) = (Duration::from_secs(seconds.parse()?), rounds.parse::<u32>()?);
    let quiet = async {
        tokio::time::sleep(time).await;
        Ok(())
    };
    let (possible, ((), got)) = (hashes()?, flooded(address, quiet).await?);
    println!("logins alone: {got:.2}/s; hashes possible: {possible:.2}/s; ratio {:.3}", got / possible);
    capacity(address, Duration::from_secs(2)).await?;
    let full = capacity(address, time).await?;
    println!("capacity: {full:.0} reads/s; driven at {:.0}/s", full / 2.0);
    let (mut ratios, mut controls) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        let quiet = reads(address, full / 2.0, time).await?;
        let control = beside_hashing(reads(address, full / 2.0, time)).await?;
        let (beside, logins) = flooded(address, reads(address, full / 2.0, time)).await?;
        let (ratio, apart) = (millis(&beside, 50) / millis(&quiet, 50), millis(&control, 50) / millis(&quiet, 50));
        println!(
            "quiet: median {:.3} ms, 99 % {:.2} ms; beside a process that hashes: {:.3} ms, {:.2} ms, ratio {apart:.3}; beside {logins:.1} \
             logins/s: {:.3} ms, {:.2} ms, ratio {ratio:.3}",
            millis(&quiet, 50),
            millis(&quiet, 99),
            millis(&control, 50),
            millis(&control, 99),
            millis(&beside, 50),
            millis(&beside, 99),
        );
        ratios.push(ratio);
        controls.push(apart);
    }
    let (middle, apart) = (middle(ratios), middle(controls));
    println!("ratio of medians: {middle:.3}; beside a process that hashes: {apart:.3}");
    ensure!(middle <= MOST, "the median of reads rose by more than 10 %");
    Ok(())
}
