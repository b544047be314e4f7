"""The maths of the table, and how it is printed.

A cell is what one contender did in one row: a number for each round. Ratios
are always ours to the peer's; whether more or less is better, and which bar
the ratio has to reach, is the row's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median

__all__ = ["OURS", "Bar", "Row", "as_json", "spread_percent", "table"]

OURS = "ours"
_THOUSAND = 1000
_TEN = 10


@dataclass(frozen=True, slots=True)
class Bar:
    """The figure that ours has to reach: against a peer as a ratio, or by itself (peer None)."""

    limit: float
    peer: str | None = None


@dataclass(slots=True)
class Row:
    """One line of the table: the rounds of each contender, by its key."""

    key: str
    title: str
    unit: str
    more_is_better: bool
    bars: Sequence[Bar] = ()
    rounds: dict[str, list[float]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def add(self, contender: str, value: float) -> None:
        """Note one round of a contender."""
        self.rounds.setdefault(contender, []).append(value)

    def middle(self, contender: str) -> float | None:
        """The median of a contender's rounds."""
        values = self.rounds.get(contender)
        return median(values) if values else None

    def ratio(self, peer: str) -> float | None:
        """Ours to the peer's."""
        ours, theirs = self.middle(OURS), self.middle(peer)
        return ours / theirs if ours is not None and theirs else None

    def met(self, bar: Bar) -> bool | None:
        """True if ours reaches the bar; None where one of the two was not measured."""
        reached = self.ratio(bar.peer) if bar.peer else self.middle(OURS)
        if reached is None:
            return None
        return reached >= bar.limit if self.more_is_better else reached <= bar.limit


def spread_percent(values: Sequence[float]) -> float:
    """Half the way from the least to the greatest round, in percent of the median."""
    middle = median(values)
    return 50 * (max(values) - min(values)) / middle if middle else 0.0


def table(rows: Sequence[Row], titles: Mapping[str, str]) -> str:
    """The rows as a Markdown table with a column for each contender of `titles`."""
    lines = [["", *titles.values(), "bars"]]
    lines += [
        [f"{row.title}, {row.unit}", *(_cell(row, key) for key in titles), _bars(row, titles)]
        for row in rows
    ]
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    lines.insert(1, ["-" * width for width in widths])
    text = [" | ".join(map(str.ljust, line, widths)) for line in lines]
    notes = [f"{row.title}: {note}" for row in rows for note in row.notes]
    return "\n".join([*(f"| {line} |" for line in text), *([""] if notes else []), *notes])


def as_json(rows: Sequence[Row]) -> list[dict[str, object]]:
    """The rows with every round, and what the table says of them."""
    return [
        {
            "row": row.key,
            "title": row.title,
            "unit": row.unit,
            "more_is_better": row.more_is_better,
            "rounds": row.rounds,
            "median": {key: row.middle(key) for key in row.rounds},
            "ours_to_peer": {key: row.ratio(key) for key in row.rounds if key != OURS},
            "bars": [
                {"peer": bar.peer, "limit": bar.limit, "met": row.met(bar)} for bar in row.bars
            ],
            "notes": row.notes,
        }
        for row in rows
    ]


def _cell(row: Row, key: str) -> str:
    middle = row.middle(key)
    if middle is None:
        return "-"
    values = row.rounds[key]
    spread = f" ±{spread_percent(values):.0f}%" if len(values) > 1 else ""
    ratio = None if key == OURS else row.ratio(key)
    return _number(middle) + spread + (f" ({ratio:.2f}x)" if ratio is not None else "")


def _number(value: float) -> str:
    if value >= _THOUSAND:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= _TEN else f"{value:.2f}"


def _bars(row: Row, titles: Mapping[str, str]) -> str:
    return ", ".join(_bar(row, bar, titles) for bar in row.bars)


def _bar(row: Row, bar: Bar, titles: Mapping[str, str]) -> str:
    verdict = {True: "met", False: "UNMET", None: "not measured"}[row.met(bar)]
    sign = ">=" if row.more_is_better else "<="
    of = f"x {titles.get(bar.peer, bar.peer)}" if bar.peer else ""
    return f"{sign} {bar.limit:g}{of}: {verdict}"
