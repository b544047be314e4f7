import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskctl.json_line import BadLine, json_of_task, parse_line
from taskpb import Task

CHARACTERS = st.characters(codec="utf-8", exclude_characters="\0")
WORDS = st.text(CHARACTERS, min_size=1, max_size=9).filter(str.strip)


@given(WORDS, st.lists(WORDS, max_size=5))
def test_what_export_writes_import_reads(text, tags):
    request = parse_line(json_of_task(Task(id=5, text=text, tags=tags)).encode())
    assert (request.text, request.tags) == (text, tags)


@pytest.mark.parametrize(
    ("line", "text", "tags"),
    [
        (b'{"text": "milk"}', "milk", []),
        (b' {"tags": ["a", "a"], "text": "milk"} \r\n', "milk", ["a", "a"]),
        (b'{"id": "ignored", "text": "milk", "tags": []}', "milk", []),
        ('{"text": "käse \\u2713"}'.encode(), "käse ✓", []),
    ],
)
def test_a_task_is_read(line, text, tags):
    request = parse_line(line)
    assert (request.text, request.tags, request.request_id) == (text, tags, "")


@pytest.mark.parametrize(
    ("line", "problems"),
    [
        (b"nope", ["is not valid JSON at character 1: Expecting value"]),
        (b"\xff", ["is not valid UTF-8 at byte 1"]),
        (b"[]", ["is not a JSON object"]),
        (b'"text"', ["is not a JSON object"]),
        (b"{}", ["text: is missing"]),
        (b'{"text": null}', ["text: is not a string"]),
        (b'{"text": "a", "text": "b"}', ["repeats a key"]),
        (b'{"text": "a", "tags": "b"}', ["tags: is not an array"]),
        (b'{"text": "a", "tags": null}', ["tags: is not an array"]),
        (
            b'{"text": 1, "tags": [1, "a", true]}',
            ["tags[0]: is not a string", "tags[2]: is not a string", "text: is not a string"],
        ),
        (
            b'{"text": "a", "w\\u009b": 1, "when": 2}',
            [r'unknown key "w\u009b"', 'unknown key "when"'],
        ),
        (b'{"text": "", "tags": ["a", " "]}', ["text: is empty", "tags[1]: is blank"]),
        (b'{"text": "\\ud800"}', ["text: is not valid Unicode"]),
        (b'{"text": "a\\u0000"}', ["text: holds a NUL"]),
        (b'{"text": "a", "id": ' + b"9" * 5000 + b"}", ["holds a number that is too long"]),
        (b"[" * 100_000, ["is nested too deeply"]),
    ],
)
def test_every_reason_against_a_line_is_told(line, problems):
    with pytest.raises(BadLine) as caught:
        parse_line(line)
    assert list(caught.value.problems) == problems
