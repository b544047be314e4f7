import json

from hypothesis import given
from hypothesis import strategies as st

from taskctl.printable import json_fit_for_terminals, printable

TRICKY = {*range(0x20), *range(0x7F, 0xA0), 0x61C, 0x200E, 0x200F, *range(0x2028, 0x202F)}
TRICKY |= {*range(0x2066, 0x206A)}
TEXT = st.text(st.characters(codec="utf-8") | st.sampled_from(sorted(map(chr, TRICKY))))


@given(TEXT)
def test_nothing_tricky_comes_through(text):
    assert not {ord(character) for character in printable(text)} & TRICKY


@given(TEXT)
def test_json_keeps_its_value_without_anything_tricky(text):
    document = json_fit_for_terminals(json.dumps(text, ensure_ascii=False))
    assert json.loads(document) == text
    assert not {ord(character) for character in document} & TRICKY


def test_ordinary_text_stays_as_it_is():
    assert printable("käse ✓ 買う 'x' \\n") == "käse ✓ 買う 'x' \\n"
