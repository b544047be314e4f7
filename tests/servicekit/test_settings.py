from pathlib import Path

import pytest
from click.testing import CliRunner

from servicekit import settings_options
from taskstore import SqliteLocation


@pytest.fixture
def parse():
    """Run a service's command line; answer (exit code, output, settings)."""
    seen = []

    @settings_options(default_port=8081)
    def main(settings):
        """Serve."""
        seen.append(settings)

    def run(*arguments, **environment):
        seen.clear()
        result = CliRunner().invoke(main, arguments, env=environment, prog_name="service")
        return result.exit_code, result.output, seen[0] if seen else None

    return run


def test_defaults_are_the_documented_ones(parse):
    _, _, settings = parse()
    assert (settings.host, settings.port) == ("localhost", 8081)
    assert settings.database == SqliteLocation(Path("tasks.db"))
    assert (settings.workers, settings.engine, settings.tls) == (1, "grpcwire", None)
    assert (settings.log_format, settings.log_level) == (None, "info")


def test_environment_sets_and_options_win(parse):
    environment = {
        "TASK_HOST": "::1",
        "TASK_PORT": "9000",
        "TASK_DATABASE_URL": "sqlite:////srv/t.db",
        "TASK_LOG_FORMAT": "json",
        "TASK_LOG_LEVEL": "debug",
        "TASK_QUERY": "reads:1",
        "TASK_CORS_ORIGIN": "https://a.example http://b.example:8080",
    }
    _, _, settings = parse("--port", "9001", **environment)
    assert (settings.host, settings.port) == ("::1", 9001)
    assert settings.database == SqliteLocation(Path("/srv/t.db"))
    assert (settings.log_format, settings.log_level) == ("json", "debug")
    assert settings.query == "reads:1"
    assert settings.cors_origins == ("https://a.example", "http://b.example:8080")


@pytest.mark.parametrize(
    ("arguments", "environment", "named"),
    [
        (["--host", "a b"], {}, "--host"),
        (["--host", "a..b"], {}, "--host"),
        (["--host", "[::1]"], {"TASK_QUERY": "x"}, "--host"),
        ([], {"TASK_HOST": "\udcff", "TASK_QUERY": "x"}, "--host"),
        (["--port", "x"], {}, "--port"),
        (["--port", "65536"], {}, "--port"),
        (["--port", "-1"], {}, "--port"),
        ([], {"TASK_PORT": "many"}, "--port"),
        (["--database", "tasks.db"], {}, "--database"),
        (["--database", "sqlite:///"], {}, "--database"),
        (["--database", "sqlite:///\udcff"], {}, "--database"),
        ([], {"TASK_DATABASE_URL": "mysql://x"}, "--database"),
        (["--workers", "0"], {}, "--workers"),
        (["--engine", "warp"], {}, "--engine"),
        (["--log-format", "xml"], {}, "--log-format"),
        (["--log-level", "loud"], {}, "--log-level"),
        (["--tls-cert", "/none.pem"], {}, "--tls-cert"),
        (["--tls-cert", __file__], {}, "--tls-key"),
        (["--tls-client-ca", __file__], {}, "--tls-cert"),
        (["--cors-origin", "example.org"], {}, "--cors-origin"),
        (["--cors-origin", "https://example.org/"], {}, "--cors-origin"),
        (["--cors-origin", "https://["], {}, "--cors-origin"),
        (["--cors-origin", "https://a.example", "--engine", "grpclib"], {}, "--cors-origin"),
        (["--command", "reads"], {}, "--command"),
        ([], {"TASK_QUERY": "reads:many"}, "--query"),
        (["--prot", "1"], {}, "--prot"),
        (["extra"], {}, "extra"),
    ],
)
def test_bad_value_names_its_option_and_exits_2(parse, arguments, environment, named):
    code, output, settings = parse(*arguments, **environment)
    assert (code, settings) == (2, None)
    assert named in output


def test_help_shows_every_option_with_its_variable_and_default(parse):
    code, output, _ = parse("--help")
    assert code == 0
    for word in (
        "--host", "TASK_HOST", "localhost", "--port", "TASK_PORT", "8081", "--database",
        "TASK_DATABASE_URL", "sqlite:///tasks.db", "--workers", "TASK_WORKERS", "--engine",
        "TASK_ENGINE", "--log-format", "TASK_LOG_FORMAT", "--log-level", "TASK_LOG_LEVEL",
        "--tls-cert", "TASK_TLS_CERT", "--tls-key", "TASK_TLS_KEY", "--tls-client-ca",
        "TASK_TLS_CLIENT_CA",
    ):  # fmt: skip
        assert word in output
