import pytest

from bench.h2load import LoadFailed, Result, median_latency_ms, parse

OUTPUT = """\
starting benchmark...
spawning thread #0: 10 total client(s). Timing-based test with 0s of warm-up time and 2s of main duration for measurements.
Main benchmark duration is started for thread #0.
Main benchmark duration is over for thread #0. Stopping all clients.

finished in 2.00s, 727.00 req/s, 55.08KB/s
requests: 1454 total, 1554 started, 1454 done, 1454 succeeded, 0 failed, 0 errored, 0 timeout
status codes: 1464 2xx, 0 3xx, 0 4xx, 0 5xx
traffic: 110.16KB (112804) total, 23.87KB (24440) headers (space savings 91.53%), 47.11KB (48237) data
                     min         max         mean         sd        +/- sd
time for request:    30.19ms    192.40ms    131.16ms     17.66ms    89.61%
"""  # noqa: E501 - as h2load prints it


def test_rate_calls_and_data_are_read() -> None:
    assert parse(OUTPUT) == Result(calls_per_s=727.0, calls=1454, data_bytes=48237)


@pytest.mark.parametrize(
    ("said", "instead"),
    [
        ("0 failed", "1 failed"),
        ("0 errored", "3 errored"),
        ("0 timeout", "2 timeout"),
        ("0 5xx", "4 5xx"),
        ("1454 succeeded", "1450 succeeded"),
        ("1454 done, 1454 succeeded", "0 done, 0 succeeded"),
        ("traffic:", "something else:"),
        ("requests:", "wishes:"),
    ],
)
def test_anything_but_success_is_refused(said: str, instead: str) -> None:
    output = OUTPUT.replace(said, instead)
    if said == "traffic:":
        output = output.replace("data", "dust")
    if said == "requests:":
        output = output.replace("errored", "erred")
    with pytest.raises(LoadFailed):
        parse(output)


def test_latency_is_the_median_of_the_log() -> None:
    log = "1700000000000001\t200\t900\n1700000000000002\t200\t100\n1700000000000003\t200\t250\n"
    assert median_latency_ms(log) == 0.25
