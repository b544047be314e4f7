import pytest

from grpcwire.http2.errors import (
    ConnectionStreamClosedError,
    ErrorCode,
    Http2ConnectionError,
    Http2StreamError,
    IllegalSendError,
    StreamClosedError,
)
from grpcwire.http2.streams import TRANSITIONS, Input, State, step

RECEIVED = [event for event in Input if not event.name.startswith("SEND")]
SENT = [event for event in Input if event.name.startswith("SEND")]


def allowed(state: State, *events: Input) -> set[Input]:
    return {event for event in events if isinstance(TRANSITIONS[state][event], State)}


def test_every_state_answers_every_input():
    for state in State:
        assert len(TRANSITIONS[state]) == len(Input)
        for event in Input:
            following = TRANSITIONS[state][event]
            if isinstance(following, State):
                assert step(state, event) is following
            else:
                with pytest.raises(following, match=f"{event.name} in state {state.name}"):
                    step(state, event)


def test_only_headers_open_a_stream():
    assert allowed(State.IDLE, *Input) == {Input.HEADERS, Input.HEADERS_END}
    assert {TRANSITIONS[State.IDLE][event] for event in RECEIVED[2:]} == {Http2ConnectionError}


def test_nothing_leads_back_to_idle_or_from_over_to_alive():
    for state in State:
        for event in Input:
            following = TRANSITIONS[state][event]
            assert following is not State.IDLE
            if state in (State.CLOSED, State.RESET):
                assert following is state or not isinstance(following, State)


def test_after_end_stream_data_and_headers_are_a_stream_error_stream_closed():
    for event in (Input.DATA, Input.DATA_END, Input.HEADERS, Input.HEADERS_END):
        error = TRANSITIONS[State.HALF_CLOSED_REMOTE][event]
        assert error is StreamClosedError
        assert error.code == ErrorCode.STREAM_CLOSED


def test_trailers_must_end_the_stream():
    assert TRANSITIONS[State.OPEN][Input.HEADERS] is Http2StreamError
    assert TRANSITIONS[State.OPEN][Input.HEADERS_END] is State.HALF_CLOSED_REMOTE


def test_headers_on_a_closed_stream_end_the_connection():
    assert TRANSITIONS[State.CLOSED][Input.HEADERS] is ConnectionStreamClosedError


def test_a_reset_stream_ignores_whatever_was_under_way():
    assert allowed(State.RESET, *RECEIVED) == set(RECEIVED)


def test_what_we_may_send_ends_with_our_end():
    for state in (State.HALF_CLOSED_LOCAL, State.CLOSED, State.RESET, State.IDLE):
        for event in SENT[:-1]:
            assert TRANSITIONS[state][event] is IllegalSendError
