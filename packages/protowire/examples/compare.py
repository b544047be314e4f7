"""Measures one message by betterproto's own methods and by protowire's, side by side.

The same class is defined twice, since compiling changes a class in place.
"""

import sys
from dataclasses import dataclass
from timeit import timeit

import betterproto

from protowire import compile_messages, decode, encode

ROUNDS = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000


@dataclass(eq=False, repr=False)
class Stock(betterproto.Message):
    """A message that is left as it is."""

    sensor: str = betterproto.string_field(1)
    samples: list[int] = betterproto.int32_field(2)


@dataclass(eq=False, repr=False)
class Compiled(betterproto.Message):
    """The same, compiled below."""

    sensor: str = betterproto.string_field(1)
    samples: list[int] = betterproto.int32_field(2)


def main() -> None:
    """Print microseconds per operation."""
    compile_messages(Compiled)
    samples = list(range(100, 120))
    stock, ours = Stock("attic", samples), Compiled("attic", samples)
    data = encode(ours)
    assert data == bytes(stock)
    rows = {
        "encode": (lambda: bytes(stock), lambda: encode(ours)),
        "decode": (lambda: Stock.FromString(data), lambda: decode(Compiled, data)),
    }
    print(f"{'':8}{'betterproto us':>16}{'protowire us':>16}{'ratio':>8}")
    for name, works in rows.items():
        theirs, mine = (timeit(work, number=ROUNDS) / ROUNDS * 1e6 for work in works)
        print(f"{name:8}{theirs:16.2f}{mine:16.2f}{theirs / mine:8.1f}")


if __name__ == "__main__":
    main()
