"""The Python side of the differential test in ../pymacaroons.rs.

Reads one JSON object a line and answers with one a line:
`key` (hex), `location`, `identifier`, `prefix`, `caveats` (texts), `token` (made
in Rust from these), `extra` (one more caveat) and `wrong_key` (hex).
"""

import json
import sys

import pymacaroons
import pypitoken


def verifies(token, key):
    verifier = pymacaroons.Verifier()
    verifier.satisfy_general(lambda caveat: True)
    try:
        return verifier.verify(token._macaroon, key)
    except Exception:
        return False


def respelled(caveat):
    """As pypitoken writes what it read; plain JSON for what it does not know."""
    try:
        return pypitoken.Restriction.load_json(caveat).dump_json()
    except pypitoken.LoaderError:
        return json.dumps(json.loads(caveat))


def answer(asked):
    key = bytes.fromhex(asked["key"])
    minted = pypitoken.Token.create(
        domain=asked["location"],
        identifier=asked["identifier"],
        key=key,
        prefix=asked["prefix"],
    )
    for caveat in asked["caveats"]:
        minted._macaroon.add_first_party_caveat(caveat)
    loaded = pypitoken.Token.load(asked["token"])
    result = {
        "minted": minted.dump(),
        "reloaded": loaded.dump(),
        "verifies": verifies(loaded, key),
        "verifies_wrong_key": verifies(loaded, bytes.fromhex(asked["wrong_key"])),
        "respelled": [respelled(caveat) for caveat in asked["caveats"]],
    }
    loaded._macaroon.add_first_party_caveat(asked["extra"])
    result["attenuated"] = loaded.dump()
    return result


for line in sys.stdin:
    print(json.dumps(answer(json.loads(line))), flush=True)
