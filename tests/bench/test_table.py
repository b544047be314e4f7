import pytest

from bench.table import Bar, Row, as_json, spread_percent, table

TITLES = {"ours": "ours", "aio": "grpc.aio", "go": "grpc-go"}


def calls() -> Row:
    row = Row("get", "GetTask", "calls/s", more_is_better=True, bars=[Bar(12, "aio"), Bar(1, "go")])
    for value in (25_000, 24_000, 30_000):
        row.add("ours", value)
    for value in (2_000, 1_000, 4_000):
        row.add("aio", value)
    return row


def test_ratio_is_ours_to_the_peers_by_their_medians() -> None:
    assert calls().ratio("aio") == 12.5
    assert calls().ratio("go") is None


def test_spread_is_half_the_range_in_percent_of_the_median() -> None:
    assert spread_percent([24_000, 25_000, 30_000]) == pytest.approx(12)
    assert spread_percent([0.0]) == 0


@pytest.mark.parametrize(
    ("limit", "more_is_better", "met"),
    [(12.5, True, True), (12.6, True, False), (12.5, False, True), (12.4, False, False)],
)
def test_bar_is_met_on_its_limit(limit: float, more_is_better: bool, met: bool) -> None:
    row = calls()
    row.more_is_better = more_is_better
    assert row.met(Bar(limit, "aio")) is met


def test_bar_without_peer_is_held_against_ours_itself() -> None:
    row = Row("idle", "idle", "KiB each", more_is_better=False, bars=[Bar(25)])
    assert row.met(row.bars[0]) is None
    row.add("ours", 24.5)
    assert row.met(row.bars[0])


def test_table_shows_medians_spread_ratios_bars_and_notes() -> None:
    row = calls()
    row.notes.append("a remark")
    head, rule, line, empty, note = table([row], TITLES).splitlines()
    assert [cell.strip() for cell in line.strip("|").split("|")] == [
        "GetTask, calls/s",
        "25,000 ±12%",
        "2,000 ±75% (12.50x)",
        "-",
        ">= 12x grpc.aio: met, >= 1x grpc-go: not measured",
    ]
    assert len(head) == len(rule) == len(line)
    assert (empty, note) == ("", "GetTask: a remark")


def test_json_keeps_every_round() -> None:
    (entry,) = as_json([calls()])
    assert entry["rounds"] == {"ours": [25_000, 24_000, 30_000], "aio": [2_000, 1_000, 4_000]}
    assert entry["bars"] == [
        {"peer": "aio", "limit": 12, "met": True},
        {"peer": "go", "limit": 1, "met": None},
    ]
