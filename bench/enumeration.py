"""Whether the time of an answer tells if a name or an address is known: at login, registration (addresses) and reset, by turns.

Usage: python3 bench/enumeration.py PATH-TO-STRONGROOM [TRIES]. Limits are off, so that 200 tries of each kind are let through.
It fails when a ratio of medians is above 1.1.
"""

import statistics
import sys
from collections.abc import Callable

from index import PASSWORD, Browser, Index

MOST = 1.1


def measure(name: str, tries: int, known: Callable[[int], float], unknown: Callable[[int], float]) -> float:
    known(-1), unknown(-1)  # the first of each warms up
    pairs = [(known(n), unknown(n)) for n in range(tries)]
    told = []
    for column in zip(*pairs):
        low, middle, high = statistics.quantiles([seconds * 1000 for seconds in column], n=4)
        told.append((middle, f"{middle:.1f} ms ({low:.1f} to {high:.1f})"))
    ratio = max(told[0][0], told[1][0]) / min(told[0][0], told[1][0])
    print(f"{name}: known {told[0][1]}, unknown {told[1][1]}, ratio {ratio:.3f}", flush=True)
    return ratio


def main(program: str, tries: int) -> int:
    with Index(program, 18182) as index:
        address = index.register("ada")
        browser = Browser(index.host)

        def post(path: str, fields: dict[str, str], expected: int) -> float:
            status, _, took = browser.ask("POST", path, {"csrf_token": token, **fields})
            assert status == expected, (path, status)
            return took

        def login(username: str) -> float:
            return post("/account/login/", {"username": username, "password": "a-wrong-password"}, 422)

        def register(username: str, email: str) -> float:
            fields = {"name": "", "email": email, "username": username, "new_password": PASSWORD, "password_confirm": PASSWORD}
            return post("/account/register/", fields, 200)

        def reset(typed: str) -> float:
            return post("/account/request-password-reset/", {"username_or_email": typed}, 200)

        token = browser.token("/account/login/")
        ratios = [
            measure("login", tries, lambda n: login("ada"), lambda n: login(f"nobody{n + 1}")),
            measure(
                "registration",
                tries,
                lambda n: register(f"ka{n + 1}k", address),
                lambda n: register(f"un{n + 1}u", f"fresh{n + 1}@people.example.org"),
            ),
            measure("reset", tries, lambda n: reset(address), lambda n: reset(f"nobody{n + 1}@people.example.org")),
        ]
    return 0 if max(ratios) <= MOST else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 200))
