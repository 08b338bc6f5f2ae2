//! Rates as settings write them: `20/1h`.

use std::time::Duration;

/// So many in this long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// How many.
    pub most: u32,
    /// In how long.
    pub window: Duration,
}

/// Reads `5/5m 20/1h 50/1d`; `off` and the empty text are no limit.
///
/// # Errors
/// A sentence that says what cannot be read.
pub fn parse_rates(text: &str) -> Result<Vec<Rate>, String> {
    if text.trim() == "off" {
        return Ok(Vec::new());
    }
    text.split_whitespace().map(parse_rate).collect()
}

fn parse_rate(part: &str) -> Result<Rate, String> {
    let wrong = || format!("`{part}` is not a rate: write a number, a slash and a duration, as in `20/1h`");
    let (most, window) = part.split_once('/').ok_or_else(wrong)?;
    let window = humantime::parse_duration(window).map_err(|_| wrong())?;
    if window < Duration::from_secs(1) {
        return Err(wrong());
    }
    Ok(Rate { most: most.parse().map_err(|_| wrong())?, window })
}
