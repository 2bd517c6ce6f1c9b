"""How long answers take that must not tell who has an account: a refused login, and asking for another password.

    PYTHONPATH=Tests .venv/bin/python -m Contract.login_times [COUNT]

prints medians, and for each pair how likely such a difference is where there is none (Mann-Whitney U, two-sided).
"""

from __future__ import annotations

import itertools
import math
import random
import statistics
import sys
import tempfile
import time
from itertools import combinations, cycle
from pathlib import Path

from dwell_process import Dwell

from .helpers import person, unique, unique_email
from .test_security_passwords import import_hash


def likelihood(one: list[float], other: list[float]) -> tuple[float, float]:
    """The U test's z, and how likely one that far from 0 is by chance."""
    ranked = sorted([(value, True) for value in one] + [(value, False) for value in other])
    ranks = sum(rank for rank, (_, is_one) in enumerate(ranked, start=1) if is_one)
    u = ranks - len(one) * (len(one) + 1) / 2
    spread = math.sqrt(len(one) * len(other) * (len(one) + len(other) + 1) / 12)
    z = (u - len(one) * len(other) / 2) / spread
    return z, math.erfc(abs(z) / math.sqrt(2))


#: No account takes more wrong guesses than 100, and no address more than 10 at one account.
GUESSES_OF_AN_ACCOUNT = 90

_numbers = itertools.count(1)


def from_elsewhere() -> dict[str, str]:
    """Each guess comes from an address of its own: what is measured is no refusal of the limiter."""
    number = next(_numbers)
    return {"X-Forwarded-For": f"198.18.{number // 256}.{number % 256}"}


def measure(server: Dwell, count: int) -> dict[str, list[float]]:
    each = math.ceil(count / GUESSES_OF_AN_ACCOUNT)
    own, cheap, dear = ([person(server) for _ in range(each)] for _ in range(3))
    for old in cheap:
        import_hash(old, "some old password", cost=8)
    for old in dear:
        import_hash(old, "some old password", cost=10)
    names = {
        "nobody": lambda: unique("nobody"),
        "yescrypt": cycle(one.username for one in own).__next__,
        "bcrypt, cost 8": cycle(one.username for one in cheap).__next__,
        "bcrypt, cost 10": cycle(one.username for one in dear).__next__,
    }
    times: dict[str, list[float]] = {name: [] for name in names}
    client = server.client()
    turns = [name for name in names for _ in range(count)]
    random.shuffle(turns)
    for name in ["nobody"] * 20 + turns:
        given = {"username": names[name](), "password": f"wrong {unique()}"}
        headers = from_elsewhere()
        began = time.perf_counter()
        response = client.post("/auth/login", json=given, headers=headers)
        times[name].append((time.perf_counter() - began) * 1000)
        assert response.status_code == 401, response.text
    times["nobody"] = times["nobody"][20:]  # The first warm up.
    return times


def measure_forgotten(server: Dwell, count: int) -> dict[str, list[float]]:
    """An address gets five codes an hour: each is asked for four times at most."""
    known = [person(server).given["email"] for _ in range(math.ceil(count / 4))]
    unknown = [unique_email("nobody") for _ in known]
    times: dict[str, list[float]] = {"known": [], "unknown": []}
    turns = [(name, email) for name, all in (("known", known), ("unknown", unknown)) for email in (all * 4)[:count]]
    random.shuffle(turns)
    client = server.client()
    for name, email in turns:
        headers = from_elsewhere()
        began = time.perf_counter()
        response = client.post("/auth/password/forgot", json={"email": email}, headers=headers)
        times[name].append((time.perf_counter() - began) * 1000)
        assert response.status_code == 200, response.text
    return times


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    env = {"DWELL_SMTP_URL": "file:mails", "DWELL_MAIL_FROM": "dwell@example.com"}
    with tempfile.TemporaryDirectory() as folder, Dwell(Path(folder), env=env) as server:
        show("Refused logins", measure(server, count))
        show("Forgotten passwords", measure_forgotten(server, count))


def show(title: str, times: dict[str, list[float]]) -> None:
    print(title)
    for name, values in times.items():
        quarter, middle, three = statistics.quantiles(values, n=4)
        print(f"  {name:16} {len(values)} times, median {middle:.2f} ms, quartiles {quarter:.2f} and {three:.2f}")
    for one, other in combinations(times, 2):
        z, chance = likelihood(times[one], times[other])
        print(f"  {one} or {other}: z = {z:+.2f}, p = {chance:.3f}")


if __name__ == "__main__":
    main()
