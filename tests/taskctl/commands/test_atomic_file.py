import os
from pathlib import Path

import pytest

from taskctl.commands.atomic_file import atomic_file


def write(path, content=b"new"):
    with atomic_file(path) as file:
        file.write(content)


def test_a_new_file_has_the_usual_mode(tmp_path):
    old = os.umask(0o027)
    try:
        write(tmp_path / "file")
    finally:
        os.umask(old)
    assert (tmp_path / "file").read_bytes() == b"new"
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o640


def test_an_existing_file_is_replaced_and_keeps_its_mode(tmp_path):
    path = tmp_path / "file"
    path.write_text("old")
    path.chmod(0o604)
    write(path)
    assert (path.read_bytes(), path.stat().st_mode & 0o777) == (b"new", 0o604)


def test_a_symbolic_link_is_followed(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "file")
    write(tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "file").read_bytes() == b"new"


def test_links_that_lead_nowhere_are_replaced(tmp_path):
    (tmp_path / "one").symlink_to(tmp_path / "two")
    (tmp_path / "two").symlink_to(tmp_path / "one")
    write(tmp_path / "one")
    assert (tmp_path / "one").read_bytes() == b"new"


def test_a_device_is_written_not_replaced():
    write(Path(os.devnull))
    assert Path(os.devnull).is_char_device()


def test_a_link_to_a_pipe_is_written_not_replaced():
    reading, writing = os.pipe()
    write(Path(f"/dev/fd/{writing}"))
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        assert pipe.read() == b"new"


def test_nothing_changes_and_nothing_is_left_where_writing_fails(tmp_path):
    path = tmp_path / "file"
    path.write_text("old")
    with pytest.raises(TypeError):
        write(path, "no bytes")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
