#!/usr/bin/env bash
# Uploads and logins per second with and without sealing the audit trail, by turns in one run, on both engines.
#
#   bench/seals.sh [ROUNDS] [EACH]
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/with-postgres cargo run --quiet --release -p server --example seals -- "${1:-7}" "${2:-200}"
