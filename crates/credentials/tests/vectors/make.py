"""Makes macaroons.json and argon2.json with the Python implementations.

    pip install pymacaroons==0.13.0 pypitoken==7.1.1 argon2-cffi==25.1.0
    python make.py

The same versions give the same files.
"""

import json
import pathlib
import random

import pymacaroons
import pypitoken
from argon2.low_level import Type, core, ffi

HERE = pathlib.Path(__file__).parent
NAMES = ["spam", "left-pad", "a", "x1-y2-z3", "q" * 60]
ODD = ["", "ünï", "日本", "\U0001f40d", 'quo"te', "back\\slash", "tab\tline\n\r\b\f\x00\x1f\x7f"]


def uuid(rng):
    text = rng.randbytes(16).hex()
    return "-".join([text[:8], text[8:12], text[12:16], text[16:20], text[20:]])


def restrictions(rng):
    """One caveat each of pypitoken's own, as arguments of Token.restrict."""
    start = rng.randrange(1, 2**33)
    return [
        {"not_before": start, "not_after": start + rng.randrange(1, 10**7)},
        {"project_names": rng.sample(NAMES, rng.randrange(0, 4))},
        {"project_names": rng.sample(ODD, 2)},
        {"project_ids": [uuid(rng) for _ in range(rng.randrange(0, 3))]},
        {"user_id": uuid(rng)},
    ]


def own_caveats(rng):
    return [
        [100, ["upload"]],
        [100, rng.sample(ODD, 3)],
        [101, ["192.0.2.0/24"]],
        [101, ["198.51.100.7/32", "2001:db8::/32", "::/0", "2001:db8::1/128"]],
    ]


def macaroon(rng):
    # pymacaroons takes an empty key for none and leaves the token unsigned.
    key = rng.randbytes(rng.choice([1, 2, 31, 32, 33, 64, 65, 200]))
    location = rng.choice(["index.example.org", "localhost", "bücher.example.org", ""])
    identifier = rng.choice([uuid(rng), "7", "i" * 127, "i" * 128, "i" * 300, "ï"])
    prefix = rng.choice(["room", "strongroom", "a-b"])
    token = pypitoken.Token.create(
        domain=location, identifier=identifier, key=key, prefix=prefix
    )
    texts = [token.dump()]
    for _ in range(rng.randrange(0, 6)):
        if rng.random() < 0.6:
            token.restrict(**rng.choice(restrictions(rng)))
        else:
            caveat = json.dumps(rng.choice(own_caveats(rng)))
            token._macaroon.add_first_party_caveat(caveat)
        texts.append(token.dump())
    caveats = [c.caveat_id_bytes.decode() for c in token._macaroon.caveats]
    return {
        "key": key.hex(),
        "location": location,
        "identifier": identifier,
        "prefix": prefix,
        "caveats": caveats,
        "texts": texts,
    }


def third_party():
    made = pymacaroons.Macaroon(
        location="index.example.org",
        identifier="7",
        key=b"k" * 32,
        version=pymacaroons.MACAROON_V2,
    )
    # The nonce of a third-party caveat is random; these bytes stand for any.
    caveat = pymacaroons.caveat.Caveat(
        caveat_id="id",
        location="auth.example.org",
        verification_key_id=b"v" * 72,
        version=pymacaroons.MACAROON_V2,
    )
    made.caveats.append(caveat)
    return "room-" + made.serialize()


def version_1():
    made = pymacaroons.Macaroon(
        location="index.example.org",
        identifier="7",
        key=b"k" * 32,
        version=pymacaroons.MACAROON_V1,
    )
    return "room-" + made.serialize()


def argon2(rng, memory_kib, passes, lanes, secret_length):
    password = rng.randbytes(rng.randrange(0, 40))
    salt = rng.randbytes(16)
    secret = rng.randbytes(secret_length)
    out = ffi.new("uint8_t[]", 32)
    buffers = [ffi.new("uint8_t[]", value) for value in (password, salt, secret)]
    context = ffi.new(
        "argon2_context *",
        {
            "version": 0x13,
            "out": out,
            "outlen": 32,
            "pwd": buffers[0],
            "pwdlen": len(password),
            "salt": buffers[1],
            "saltlen": len(salt),
            "secret": buffers[2],
            "secretlen": len(secret),
            "ad": ffi.NULL,
            "adlen": 0,
            "t_cost": passes,
            "m_cost": memory_kib,
            "lanes": lanes,
            "threads": lanes,
            "allocate_cbk": ffi.NULL,
            "free_cbk": ffi.NULL,
            "flags": 0,
        },
    )
    error = core(context, Type.ID.value)
    assert error == 0, error
    return {
        "password": password.hex(),
        "salt": salt.hex(),
        "secret": secret.hex(),
        "memory_kib": memory_kib,
        "passes": passes,
        "lanes": lanes,
        "digest": bytes(out).hex(),
    }


def write(name, value):
    text = json.dumps(value, indent=1, sort_keys=True)
    (HERE / name).write_text(text + "\n")


def main():
    rng = random.Random(20)
    write(
        "macaroons.json",
        {
            "tokens": [macaroon(rng) for _ in range(24)],
            "third_party": third_party(),
            "version_1": version_1(),
        },
    )
    costs = [(8, 1, 1), (64, 2, 1), (256, 3, 1), (256, 3, 4), (1024, 1, 2), (19456, 2, 1)]
    write("argon2.json", [argon2(rng, *cost, secret) for cost in costs for secret in (0, 32)])


main()
