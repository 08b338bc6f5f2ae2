//! Measures the offline set of stolen passwords: `bench/breach.sh` runs it. Arguments: how many million rows, and how many look-ups.
//!
//! It makes a list of digests that look like chance, sorted, as the public one is; imports it; and looks up half of them hits and
//! half misses. Memory is what the system says of this process: what is its own, and what is the mapped file's.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use index::breach::{self, Breach, Digest, Verdict};
use index::clock::{Clock, Stopwatch, SystemClock};
use index::config::Config;

/// Numbers that look like chance and are the same in every run.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

/// The digest of a row: the first eight bytes grow with the row, the rest looks like chance.
fn digest(row: u64, rows: u64) -> Digest {
    let step = u64::MAX / rows;
    let mut chance = Chance(row);
    let first = row * step + chance.next() % step;
    let mut digest = Digest::default();
    digest[..8].copy_from_slice(&first.to_be_bytes());
    digest[8..16].copy_from_slice(&chance.next().to_be_bytes());
    digest[16..].copy_from_slice(&chance.next().to_be_bytes()[..4]);
    digest
}

fn write_list(path: &Path, rows: u64) -> anyhow::Result<()> {
    let mut list = BufWriter::with_capacity(1 << 20, File::create(path)?);
    for row in 0..rows {
        writeln!(list, "{}:{}", hex::encode_upper(digest(row, rows)), row % 100 + 1)?;
    }
    Ok(list.flush()?)
}

/// A line of `/proc/self/status`, in MiB.
fn memory(name: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
    let kib: u64 = line.trim_start_matches(':').split_whitespace().next().and_then(|n| n.parse().ok()).unwrap_or(0);
    kib / 1024
}

fn percentile(sorted: &[Duration], percent: usize) -> Duration {
    sorted[(sorted.len() - 1) * percent / 100]
}

#[expect(clippy::print_stdout, reason = "what was measured is what the program is for")]
fn main() -> anyhow::Result<()> {
    let argument = |at: usize, or: u64| std::env::args().nth(at).map_or(Ok(or), |text| text.parse());
    let (rows, look_ups) = (argument(1, 20)? * 1_000_000, argument(2, 200_000)?);
    let folder = std::env::temp_dir().join(format!("strongroom-breach-{}", std::process::id()));
    fs::create_dir_all(&folder)?;
    let list = folder.join("list.txt");
    write_list(&list, rows)?;
    let values = BTreeMap::from([("data.dir".to_owned(), folder.display().to_string())]);
    let config = Config::from_values(&values, &[])?;
    let began = Stopwatch::start();
    let imported = breach::import(&list, &breach::file_of(&config))?;
    println!(
        "import: {} rows, {} MiB, {:.1} s, peak memory {} MiB",
        imported.rows,
        imported.bytes >> 20,
        began.elapsed().as_secs_f64(),
        memory("VmHWM")
    );
    fs::remove_file(&list)?;

    let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
    let lists = Breach::open(&config, &clock)?;
    let mut chance = Chance(7);
    let mut times = Vec::new();
    for n in 0..look_ups {
        let mut wanted = digest(chance.next() % rows, rows);
        if n % 2 == 1 {
            wanted[11] ^= 0x55;
        }
        let began = Stopwatch::start();
        let verdict = lists.check_file_here(&wanted);
        times.push(began.elapsed());
        anyhow::ensure!((verdict == Verdict::Listed) == (n % 2 == 0), "a look-up was wrong");
    }
    times.sort_unstable();
    let micros = |percent| percentile(&times, percent).as_secs_f64() * 1e6;
    println!("look-up: median {:.2} µs, 99 % within {:.2} µs, all within {:.0} µs", micros(50), micros(99), micros(100));
    println!("memory: own {} MiB, mapped file {} MiB", memory("RssAnon"), memory("RssFile"));
    fs::remove_dir_all(&folder)?;
    Ok(())
}
