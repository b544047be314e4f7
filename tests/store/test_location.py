from pathlib import Path

import pytest

from taskstore import PostgresLocation, SqliteLocation, parse_database_url


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("sqlite:///tasks.db", "tasks.db"),
        ("sqlite:////srv/tasks.db", "/srv/tasks.db"),
        ("sqlite:///a/b.db", "a/b.db"),
        ("sqlite:///my%20tasks.db", "my tasks.db"),
        ("SQLITE:///tasks.db", "tasks.db"),
    ],
)
def test_url_names_a_file(url, path):
    assert parse_database_url(url) == SqliteLocation(Path(path))


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("", "not a database URL"),
        ("tasks.db", "not a database URL"),
        ("mysql://x/y", "not a database URL"),
        ("postgresql:tasks", "two slashes"),
        ("postgresql://h:x/t", "host"),
        ("postgresql://h:0/t", "from 1 to 65535"),
        ("postgresql://h:65536/t", "from 1 to 65535"),
        ("postgresql://[::1/t", "malformed"),
        ("postgresql://a@b@h/t", "%40"),
        ("postgresql://h/t#x", "%23"),
        ("postgresql://h/t%00", "NUL"),
        ("postgresql://h/t?sslmod=require", "'sslmod' is not an option"),
        ("postgresql://h/t?sslmode=maybe", "sslmode"),
        ("postgresql://h/t?target_session_attrs=best", "target_session_attrs"),
        ("postgresql://h/t?connect_timeout=soon", "connect_timeout"),
        ("postgresql://h/t?statement_cache_size=-1", "statement_cache_size"),
        ("postgresql://h/t?application_name", "malformed"),
        ("postgresql://h/t?application_name=", "application_name"),
        ("postgresql://h1,h2/t?port=1,2,3", "number of ports"),
        ("postgresql:///t?host=h&port=x", "from 1 to 65535"),
        ("sqlite://tasks.db", "three slashes"),
        ("sqlite:tasks.db", "three slashes"),
        ("sqlite:///", "names no file"),
        ("sqlite:///folder/", "names no file"),
        ("sqlite:///a%00b", "names no file"),
        ("sqlite:///a\udcffb", "not valid Unicode"),
        ("postgresql://h/\udcff", "not valid Unicode"),
        ("sqlite:///:memory:", "in memory"),
        ("sqlite:///tasks.db?mode=ro", "options"),
    ],
)
def test_other_urls_say_what_is_wrong(url, problem):
    with pytest.raises(ValueError, match=problem):
        parse_database_url(url)


@pytest.mark.parametrize(
    ("url", "shown", "hosts"),
    [
        ("postgresql://h/t", "postgresql://h/t", (("h", None),)),
        ("postgres://h:5433/t", "postgresql://h:5433/t", (("h", 5433),)),
        ("postgresql://me:secret@h/t", "postgresql://me@h/t", (("h", None),)),
        ("postgresql://h/t?password=secret", "postgresql://h/t", (("h", None),)),
        ("postgresql://h1:1,h2:2/t", "postgresql://h1:1,h2:2/t", (("h1", 1), ("h2", 2))),
        ("postgresql://h1,h2/t?port=7", "postgresql://h1:7,h2:7/t", (("h1", 7), ("h2", 7))),
        ("postgresql://[::1]:1/t", "postgresql://[::1]:1/t", (("::1", 1),)),
        ("postgresql:///t?host=/run/pg", "postgresql://%2Frun%2Fpg/t", (("/run/pg", None),)),
        ("postgresql://%2Frun%2Fpg/t", "postgresql://%2Frun%2Fpg/t", (("/run/pg", None),)),
        ("postgresql:///t", "postgresql:///t", ()),
    ],
)
def test_postgresql_url_names_servers_and_never_shows_its_password(url, shown, hosts):
    location = parse_database_url(url)
    assert (str(location), location.hosts) == (shown, hosts)
    assert "secret" not in repr(location)
    assert not location.one_writer


def test_postgresql_options_of_ours_are_kept_from_the_driver():
    location = parse_database_url(
        "postgresql://h/t?target_session_attrs=standby&connect_timeout=7"
        "&statement_cache_size=0&sslmode=disable&application_name=tasks"
    )
    assert location == PostgresLocation(
        "postgresql:///t?sslmode=disable&application_name=tasks",
        (("h", None),),
        "standby",
        7,
        pooled=True,
    )


def test_bare_slash_leaves_the_database_to_the_options():
    assert parse_database_url("postgresql://h/?dbname=t") == parse_database_url(
        "postgresql://h?dbname=t"
    )
