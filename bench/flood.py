"""What a flood of logins does to index reads, driven open-loop at half their capacity.

Usage: python3 bench/flood.py PATH-TO-STRONGROOM [SECONDS] [ROUNDS]. Needs cargo, which builds the driver (crates/server/examples).
It fails when the median of reads rises by more than 10 %.
"""

import os
import subprocess
import sys
from pathlib import Path

from index import Index
from seed import main as seed

ROOT = Path(__file__).resolve().parent.parent


def main(program: str, seconds: str, rounds: str) -> int:
    build = ["cargo", "build", "--quiet", "--release", "-p", "server", "--example", "flood"]
    subprocess.run(build, cwd=ROOT, check=True)
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    with Index(program, 18183) as index:
        index.register("ada")
        seed(str(index.data / "strongroom.sqlite"))
        return subprocess.run([target / "release/examples/flood", index.host, seconds, rounds]).returncode


if __name__ == "__main__":
    sys.exit(main(*(sys.argv[1:] + ["10", "3"][len(sys.argv) - 2 :])))
