//! Prints what the checks of an upload say about files: `cargo run -p formats --example inspect -- FILE…`.
//! Ends with status 1 when one is refused.

use std::path::Path;
use std::process::ExitCode;

use formats::filename::{SdistFilename, WheelFilename, check_filename, check_sdist, check_wheel};
use formats::{FileKind, Inspected, ProjectName, Version, inspect, validate};

fn main() -> ExitCode {
    let mut refused = 0;
    for argument in std::env::args().skip(1) {
        let path = Path::new(&argument);
        let filename = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        match judge(path, filename) {
            Ok(found) => println!("ok      {filename}: {} entries, metadata {}", found.entries, found.metadata.metadata_version),
            Err(why) => {
                refused += 1;
                println!("refused {filename}: {why}");
            }
        }
    }
    if refused == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn judge(path: &Path, filename: &str) -> Result<Inspected, String> {
    check_filename(filename).map_err(|error| error.to_string())?;
    let kind = if filename.ends_with(".whl") { FileKind::Wheel } else { FileKind::Sdist };
    let found = inspect(path, filename, kind).map_err(|error| error.to_string())?;
    validate(&found.metadata).map_err(|error| error.to_string())?;
    let name = ProjectName::parse(&found.metadata.name).map_err(|error| error.to_string())?;
    let version = Version::parse(&found.metadata.version).map_err(|error| error.to_string())?;
    let fits = match kind {
        FileKind::Wheel => WheelFilename::parse(filename).and_then(|wheel| check_wheel(&wheel, &name, &version)),
        FileKind::Sdist => SdistFilename::parse(filename).and_then(|sdist| check_sdist(&sdist, &name, &version)),
    };
    fits.map_err(|error| error.to_string())?;
    Ok(found)
}
