"""One budget a connection for whatever costs us work and the peer nearly nothing.

Resets (the peer's and those it provokes), PINGs, SETTINGS, empty and tiny
frames, CONTINUATION and frames that get ignored all draw on it; calls answered
and messages moved pay into it, and time refills it. Nothing here reads a clock:
the transport says how many seconds passed. An overdrawn budget raises
`BudgetExhausted`, which ends the connection: HTTP/2 says ENHANCE_YOUR_CALM,
HTTP/1.1 answers 429.
"""

from typing import Final

from grpcwire.counters import Counters

# A DATA frame below this that does not end its stream is work without worth,
# unless a message comes of it, which pays back. Nor is one worth anything that goes
# out only because the peer's window holds no more.
TINY_BYTES: Final = 16


class BudgetExhausted(Exception):
    """The peer asked for more work than its budget holds."""


class Budget:
    """Tokens of one connection: charged by cheap frames, earned by real work."""

    __slots__ = ("_capacity", "_counters", "tokens")

    def __init__(self, capacity: int, counters: Counters) -> None:
        self._capacity = capacity
        self._counters = counters
        self.tokens: float = capacity

    def charge(self, what: str, tokens: float = 1) -> None:
        """Take tokens for `what`; raises BudgetExhausted when none are left."""
        self.tokens -= tokens
        if self.tokens < 0:
            self._counters.budget_exhausted += 1
            raise BudgetExhausted("too many: " + what)

    def earn(self, tokens: float = 1) -> None:
        """Give tokens back, up to the capacity."""
        self.tokens = min(self.tokens + tokens, self._capacity)
