//! The binary `strongroom`.

use std::process::ExitCode;

fn main() -> ExitCode {
    server::cli::main()
}
