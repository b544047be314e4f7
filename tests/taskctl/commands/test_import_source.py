import os
import threading

import pytest

from taskctl.commands.import_source import MAX_LINE_BYTES, ImportSource, InputChanged


def survey(path):
    problems = []
    with ImportSource(str(path)) as source:
        found = source.survey(lambda *problem: problems.append(problem), lambda: None)
        lines = [] if problems else [(number, task.text) for number, task in source.tasks()]
    return found, problems, lines


@pytest.fixture
def file(tmp_path):
    return tmp_path / "tasks.jsonl"


def test_lines_keep_their_number_and_blank_ones_are_passed_over(file):
    file.write_bytes(b'{"text": "a"}\n\n  \r\n{"text": "b"}\r\n{"text": "c"}')
    found, problems, lines = survey(file)
    assert (found.tasks, problems) == (3, [])
    assert lines == [(1, "a"), (4, "b"), (5, "c")]


def test_an_empty_input_has_no_tasks(file):
    file.write_bytes(b"")
    assert survey(file)[0].tasks == 0


def test_a_byte_order_mark_is_passed_over(file):
    file.write_bytes(b'\xef\xbb\xbf{"text": "a"}\n')
    assert survey(file)[2] == [(1, "a")]


def test_separators_within_a_string_end_no_line(file):
    file.write_bytes('{"text": "a\u2028b\u0085c"}\n'.encode())
    assert survey(file)[2] == [(1, "a\u2028b\u0085c")]


def test_a_line_that_is_too_long_is_told_and_the_next_one_is_read(file):
    file.write_bytes(b" " * (3 * MAX_LINE_BYTES) + b'{"text": "a"}\nnope\n')
    _, problems, _ = survey(file)
    assert problems[0] == (1, f"has more than {MAX_LINE_BYTES} bytes")
    assert problems[1][0] == 2


def test_the_longest_valid_task_fits_even_with_every_character_escaped(file):
    tag = '"' + "\\ud83d\\ude00" * 64 + '"'
    text = "\\u0061" * 16384
    file.write_text(f'{{"text": "{text}", "tags": [{", ".join([tag] * 64)}]}}')
    assert survey(file)[1] == []


def test_request_ids_depend_on_the_whole_input_the_line_and_the_label(file):
    ids = set()
    for content in ('{"text": "a"}\n', '{"text": "a"}\n\n', '{"text": "b"}\n'):
        file.write_text(content)
        found = survey(file)[0]
        ids |= {found.request_id(1, ""), found.request_id(2, ""), found.request_id(1, "again")}
        assert found.request_id(1, "") == survey(file)[0].request_id(1, "")
    assert len(ids) == 9


def test_a_file_that_changes_while_it_is_imported_is_found_out(file):
    file.write_text('{"text": "a"}\n{"text": "b"}\n')
    with ImportSource(str(file)) as source:
        source.survey(lambda *_: None, lambda: None)
        tasks = source.tasks()
        next(tasks)
        with file.open("a") as more:
            more.write('{"text": "c"}\n')
        with pytest.raises(InputChanged, match="was changed while it was imported"):
            list(tasks)


def test_a_pipe_is_read_once_and_kept(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_text, args=('{"text": "a"}\n',))
    writer.start()
    assert survey(pipe)[2] == [(1, "a")]
    writer.join()
