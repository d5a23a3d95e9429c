"""F16: a writer that dies within a write. What others look for under a name is whole, or not there."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from depthboard.settings import Settings
from tests.faults.product import ROOT
from tests.queue.test_fsq import put, take

LIMITED = """
import resource, signal, sys
from pathlib import Path
{load}
signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
{write}
"""

MESSAGE = (
    "import depthboard.queue; from depthboard.settings import Settings; from kombu.simple import SimpleQueue",
    """
app = depthboard.queue.make_app(Settings(_env_file=None, home=Path(sys.argv[1])))
with app.connection_for_write() as connection, SimpleQueue(connection, "runs") as queue:
    queue.put("x" * 100_000)
""",
)
CHECKPOINT = (
    "import torch; from worker.artifacts import Folder; from worker.checkpoint import Shelf, write",
    "write(Shelf(Folder(Path(sys.argv[1]), 'here'), 'run'), {'step': 7, 'weights': torch.zeros(100_000)})",
)


def die_within(what: tuple[str, str], folder: Path) -> None:
    """The kernel kills the process by SIGXFSZ at the byte that is too much."""
    load, write = what
    done = subprocess.run([sys.executable, "-c", LIMITED.format(load=load, write=write), folder], cwd=ROOT, check=False)
    assert done.returncode == -signal.SIGXFSZ


def test_a_message_whose_writer_died_is_not_seen_and_the_next_one_is(tmp_path: Path) -> None:
    """F16, of the embedded queue."""
    import depthboard.queue

    die_within(MESSAGE, tmp_path)
    with depthboard.queue.make_app(Settings(_env_file=None, home=tmp_path)).connection_for_write() as connection:
        put(connection, "whole")
        assert take(connection) == ["whole"]
    assert not list((tmp_path / "queue" / "messages").glob(".bad-*"))


@pytest.mark.slow
def test_a_checkpoint_whose_writer_died_has_no_name(tmp_path: Path) -> None:
    """F16, of a checkpoint."""
    die_within(CHECKPOINT, tmp_path)
    assert list(tmp_path.rglob("step-*.pt")) == []
    assert list(tmp_path.rglob("step-*")), "but for what it had begun"
