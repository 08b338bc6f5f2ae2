//! Writes every page with sample data into a folder, to look at: `cargo run -p server --example gallery -- OUT`.

use std::fs;
use std::path::Path;

use server::{assets, pages, readme};

mod samples;

fn main() -> anyhow::Result<()> {
    let out = std::env::args().nth(1).ok_or_else(|| anyhow::anyhow!("name the folder to write into"))?;
    let out = Path::new(&out);
    fs::create_dir_all(out.join("static"))?;
    for name in ["style.css", "copy.js", "keys.js", "icon.svg"] {
        let url = assets::asset_url(name);
        let asset = assets::find(url).ok_or_else(|| anyhow::anyhow!("{url} is not served"))?;
        fs::write(out.join(&url[1..]), asset.bytes)?;
    }
    for (name, html) in samples::all() {
        fs::write(out.join(format!("{name}.html")), html)?;
    }
    Ok(())
}
