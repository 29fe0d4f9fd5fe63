import io
import pickle

import pytest

from bnnkit._pickle import StackMachine


def run(content):
    return StackMachine().run(io.BytesIO(content))


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize(
    "thing",
    [
        *(None, True, 7, -1, 70_000, 2**40, "ä", b"a", [], [1, [2]], (), (1,), (1, 2), (1, 2, 3)),
        *((1, 2, 3, 4), {}, {"a": {"b": [1, "a"]}}, ["shared"] * 3),
    ],
)
def test_plain_values_are_those_of_pickle(protocol, thing):
    if protocol == 2 and isinstance(thing, bytes):
        pytest.skip("protocol 2 has no bytes of its own")
    assert run(pickle.dumps(thing, protocol)) == thing


def test_the_stream_is_left_behind_the_pickle():
    stream = io.BytesIO(pickle.dumps(1, 2) + pickle.dumps([2], 2) + b"rest")
    assert StackMachine().run(stream) == 1
    assert StackMachine().run(stream) == [2]
    assert stream.read() == b"rest"


def test_a_list_that_holds_itself():
    thing = []
    thing.append(thing)
    found = run(pickle.dumps(thing, 2))
    assert found[0] is found


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"\x80\x02cos\nsystem\n.", r"refers to os\.system, which is refused unrun"),
        (b"\x80\x02}U\x02lsR.", "instruction SHORT_BINSTRING, which no file needs"),
        (b"\x80\x02}}R.", "calls something that no file needs"),
        (b"\x80\x02}}b.", "sets the state of something"),
        (b"\x80\x02)\x81.", "instruction NEWOBJ"),
        (b"\x80\x02K\x01X\x01\x00\x00\x00aNs.", "make no sense"),
        (b"\x80\x02]K\x01K\x02s.", "a key of its dictionary is not a string"),
        (b"\x80\x02(K\x01u.", "zip"),
        (b"\x80\x02}(X\x01\x00\x00\x00au.", "zip"),
        (b"\x80\x02h\x07.", "make no sense"),
        (b"\x80\x02.", "make no sense"),
        (b"\x80\x02e.", "make no sense"),
        (b"\x80\x02]", "exhausted before seeing STOP"),
        (b"", "exhausted before seeing STOP"),
        (b"\x80\x04\x95" + b"\xff" * 8 + b"K\x01", "exhausted before seeing STOP"),  # a huge frame
        (b"\x80\x04B\xff\xff\xff\xff.", "expected 4294967295 bytes"),
        (b"\x80\x04X\xff\xff\xff\x7f.", "expected 2147483647 bytes"),
        (b"\x80\x02S" + b"x" * 9000 + b"\n.", "no string quotes around b'x{150,180}$"),
        (b"\x80\x02L" + b"9" * 9000 + b"L\n.", "LONG|digits"),
    ],
)
def test_nonsense_is_refused(content, says):
    with pytest.raises(ValueError, match=says):
        run(content)


def test_a_frame_of_any_length_is_no_matter():
    assert run(b"\x80\x04\x95" + b"\xff" * 8 + b"K\x01.") == 1


def test_nests_of_a_hundred_thousand_levels():
    run(b"\x80\x02]" + b"\x85" * 100_000 + b".")
    run(b"\x80\x02]" + b"]" * 100_000 + b"a" * 100_000 + b".")


def test_doubling_a_hundred_times_takes_no_memory():
    doubled = b"".join(b"q" + bytes([i]) + b"h" + bytes([i]) + b"\x86" for i in range(100))
    run(b"\x80\x02]" + doubled + b".")


def test_the_number_of_instructions_has_a_limit():
    with pytest.raises(ValueError, match="more than 1000000 instructions"):
        run(b"\x80\x02" + b"N" * 1_100_000 + b".")
