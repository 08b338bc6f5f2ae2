#!/usr/bin/env bash
# Measures the offline set of stolen passwords. Usage: bench/breach.sh [MILLION ROWS] [LOOK-UPS]. Needs cargo, and 60 bytes of disk
# for each row in the folder for temporary files (TMPDIR).
set -euo pipefail
cd "$(dirname "$0")/.."
cargo run --quiet --release -p index --example breach -- "${1:-20}" "${2:-200000}"
