"""Password hashing beside the C reference at the same parameters, by turns in one run.

Usage: python3 bench/hashing.py [ROUNDS]. Needs cargo and argon2-cffi (`pip install argon2-cffi`).
"""

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

from argon2.low_level import Type, hash_secret_raw

ROOT = Path(__file__).resolve().parent.parent


def reference() -> float:
    began = time.perf_counter_ns()
    hash_secret_raw(b"wicker-orbit-plinth-42", os.urandom(16), 3, 65536, 1, 32, Type.ID)
    return time.perf_counter_ns() - began


def main(rounds: int) -> None:
    build = ["cargo", "build", "--quiet", "--release", "-p", "credentials", "--example", "hashing"]
    subprocess.run(build, cwd=ROOT, check=True)
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    program = subprocess.Popen([target / "release/examples/hashing"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ours() -> float:
        program.stdin.write("wicker-orbit-plinth-42\n")
        program.stdin.flush()
        return int(program.stdout.readline().split()[0])

    ours(), reference()  # the first of each warms up
    pairs = [(ours(), reference()) for _ in range(rounds)]
    program.stdin.close()
    program.wait()
    mine, theirs = (statistics.median(column) / 1e6 for column in zip(*pairs))
    print(f"64 MiB, 3 passes, 1 lane; {rounds} by turns: strongroom {mine:.1f} ms, argon2-cffi {theirs:.1f} ms, ratio {theirs / mine:.2f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 40)
