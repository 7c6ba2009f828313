"""Lines to and from programs: much at once in both directions, silence, ends, bounds."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator

import pytest

from omeroadmin.errors import AdminError
from omeroadmin.provisioning import lines
from omeroadmin.provisioning.lines import LineChannel
from omeroadmin.provisioning.local_streams import LocalStreams

ECHO = "import sys\nfor line in sys.stdin.buffer: sys.stdout.buffer.write(line), sys.stdout.flush()"
TALKER = """
import sys
for number in range(64): print("x" * (1 << 18), flush=True)
for line in sys.stdin: print(len(line), flush=True)
"""


@pytest.fixture
def start() -> Iterator[Callable[[str], LineChannel]]:
    """Starts a Python program."""
    started = list[tuple[LocalStreams, LineChannel]]()

    def begin(program: str) -> LineChannel:
        streams = LocalStreams([sys.executable, "-I", "-S", "-c", program])
        started.append((streams, LineChannel("here", streams)))
        return started[-1][1]

    yield begin
    for streams, channel in started:
        streams.abort()
        channel.close()


def test_both_sides_have_much_to_say_at_once(start: Callable[[str], LineChannel]) -> None:
    channel = start(TALKER)
    channel.send(b"y" * (1 << 24) + b"\n")
    assert [len(channel.receive(30) or b"") for _ in range(64)] == [1 << 18] * 64
    assert channel.receive(30) == b"%d" % ((1 << 24) + 1)


def test_a_line_of_megabytes_comes_back(start: Callable[[str], LineChannel]) -> None:
    channel, line = start(ECHO), bytes(range(11, 256)) * (1 << 15)
    channel.send(b"one\n" + line + b"\nlast\n")
    channel.send(b"end without a line end")
    assert [channel.receive(30) for _ in range(3)] == [b"one", line, b"last"]


def test_silence_and_end(start: Callable[[str], LineChannel]) -> None:
    channel = start(
        "import sys; sys.stdin.readline(); print('half', end='', flush=True); sys.exit('it is \\x1b[1m over')"
    )
    with pytest.raises(AdminError) as caught:
        channel.receive(0.1)
    assert caught.value.code == "host-silent"
    channel.send(b"go on\n")
    assert channel.receive(30) is None
    assert (channel.status(30), channel.last_words()) == (1, "it is \\x1b[1m over")
    with pytest.raises(AdminError) as caught:
        channel.send(b"still there?\n")
    assert (caught.value.code, caught.value.exit_status) == ("host-lost", 4)
    assert "over" in caught.value.message


def test_program_that_takes_nothing(start: Callable[[str], LineChannel], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "_PATIENCE", 0.3)
    channel = start("import sys, time; print('ready', flush=True); time.sleep(60)")
    assert channel.receive(30) == b"ready"
    with pytest.raises(AdminError) as caught:
        channel.send(b"x" * (1 << 20))
    assert caught.value.code in {"host-silent", "host-lost"}


def test_memory_is_bounded(start: Callable[[str], LineChannel], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "_MOST", 1 << 20)
    channel = start("import sys\nwhile True: sys.stdout.write('x' * 65536); sys.stderr.write('e' * 65536)")
    with pytest.raises(AdminError) as caught:
        channel.receive(30)
    assert caught.value.code == "host-message-too-long"
    assert len(channel.errors()) <= 1 << 13
