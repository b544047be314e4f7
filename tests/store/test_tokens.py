from base64 import urlsafe_b64decode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskstore import InvalidToken
from taskstore.tokens import KEY_BYTES, Tokens, Write, check_consistency_form

TOKENS = Tokens(bytes(range(KEY_BYTES)))
OTHERS = Tokens(bytes(KEY_BYTES))
IDS = st.integers(1, 2**31 - 1)
POSITIONS = st.integers(0, 2**63 - 1)


def refused(read, *arguments):
    with pytest.raises(InvalidToken) as caught:
        read(*arguments)
    return caught.value.field, caught.value.problem


@given(IDS, POSITIONS)
def test_a_consistency_token_is_read_back(task_id, position):
    assert TOKENS.write(TOKENS.consistency_token(task_id, position)) == Write(task_id, position)


@given(IDS, IDS, POSITIONS)
def test_tokens_sort_as_their_writes_do(first, second, position):
    one, other = (TOKENS.consistency_token(task_id, position) for task_id in (first, second))
    assert (one < other, one == other) == (first < second, first == second)


def test_a_token_outlives_the_process_that_made_it():
    again = Tokens(bytes(range(KEY_BYTES)))
    assert again.write(TOKENS.consistency_token(7)) == Write(7, 0)
    assert again.last_id("home", TOKENS.page_token("home", 7)) == 7


def test_every_changed_character_of_a_consistency_token_is_told():
    token = TOKENS.consistency_token(7, 99)
    for place in range(2, len(token)):
        changed = "0" if token[place] != "0" else "1"
        forged = token[:place] + changed + token[place + 1 :]
        assert refused(TOKENS.write, forged) == ("consistency_token", "is not of this database")


@pytest.mark.parametrize(
    "form", ["", "x", "c1", "{0}0", "{0:.49}", " {0}", "{0}\n", "c2{1}", "C1{1}"]
)
def test_a_malformed_consistency_token_is_told_without_a_key(form):
    token = TOKENS.consistency_token(7)
    malformed = form.format(token, token[2:])
    assert refused(check_consistency_form, malformed) == ("consistency_token", "is malformed")
    assert refused(TOKENS.write, malformed) == ("consistency_token", "is malformed")


def test_capitals_are_malformed():
    token = TOKENS.consistency_token(0xABCDEF)
    assert refused(TOKENS.write, token.upper()) == ("consistency_token", "is malformed")


def test_another_databases_tokens_are_refused():
    foreign = OTHERS.consistency_token(7)
    assert refused(TOKENS.write, foreign) == ("consistency_token", "is not of this database")
    foreign = OTHERS.page_token("home", 7)
    assert refused(TOKENS.last_id, "home", foreign)[0] == "page_token"


@given(st.text(st.characters(codec="utf-8"), max_size=9), IDS)
def test_a_page_token_is_read_back_for_its_tag_only(tag, last_id):
    token = TOKENS.page_token(tag, last_id)
    assert TOKENS.last_id(tag, token) == last_id
    assert refused(TOKENS.last_id, f"{tag}s", token)[0] == "page_token"


def test_every_changed_character_of_a_page_token_is_told():
    token = TOKENS.page_token("home", 7)
    for place in range(len(token)):
        changed = "A" if token[place] != "A" else "B"
        forged = token[:place] + changed + token[place + 1 :]
        assert refused(TOKENS.last_id, "home", forged)[0] == "page_token"


@pytest.mark.parametrize("text", ["", "A", "a b", "=", "ä", "A" * 65, "A" * 100_000])
def test_other_texts_are_not_page_tokens(text):
    assert refused(TOKENS.last_id, "home", text) == (
        "page_token",
        "is not the next_page_token of a page of this tag",
    )


def test_one_use_of_the_key_forges_no_token_of_the_other():
    """Both seal the same bytes here: the id, and eight NULs for its place or its tag."""
    page = urlsafe_b64decode(TOKENS.page_token("\0" * 8, 7) + "=")
    sealed = bytes.fromhex(TOKENS.consistency_token(7, 0)[-24:])
    assert len(page) == 17
    assert page[-12:] != sealed
