"""`make mutants`: takes one safeguard at a time out of a copy of the tree and runs the tests that should notice. Each must go red."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
LIFE = ("tests/faults/test_life_machine.py",)
RULES = ("tests/backend/test_life.py",)


@dataclass(frozen=True)
class Mutant:
    """`old` stands once in `file` and becomes `new`; `tests` are pytest's arguments."""

    name: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]


MUTANTS = (
    Mutant(
        "the attempt predicate: any token writes",
        "backend/store/lease.py",
        "return kept is not None and hmac.compare_digest(kept, digest(token))",
        "return kept is not None",
        (*LIFE, "-k", "sqlite"),
    ),
    Mutant(
        "the state predicate: an attempt that ended writes on",
        "backend/store/lease.py",
        "if run is None or not of_token(run.token, token) or (run.kind != SCRIPT and run.status != RunStatus.running):",
        "if run is None or not of_token(run.token, token):",
        (*LIFE, "-k", "sqlite"),
    ),
    Mutant(
        "the state predicate of points: an attempt that ended logs on",
        "backend/store/ingest.py",
        "if state.run.status != RunStatus.running and state.run.kind != SCRIPT:",
        "if False:",
        (*LIFE, "-k", "sqlite"),
    ),
    Mutant(
        "the attempt cut: older attempts' points stay",
        "backend/store/curves.py",
        "            cuts[run_id, attempt] = lowest[run_id]\n",
        "            pass\n",
        (*RULES, "-k", "sqlite"),
    ),
    Mutant(
        "the cut of evaluations",
        "backend/store/lease.py",
        "    if run.attempt > 1:\n        for table",
        "    if run.attempt > 10**6:\n        for table",
        (*RULES, "-k", "sqlite"),
    ),
    Mutant(
        "the sweep: no lost attempt is found",
        "backend/store/lease.py",
        "Run.lease_until < now)",
        "Run.lease_until < now - timedelta(days=365))",
        (*LIFE, "-k", "sqlite"),
    ),
    Mutant(
        "the limit of attempts",
        "backend/store/lease.py",
        "elif run.tries >= run.max_attempts:",
        "elif run.tries > run.max_attempts:",
        (*LIFE, "-k", "sqlite"),
    ),
    Mutant(
        "the pause after a loss",
        "backend/store/lease.py",
        "run.not_before = now + _rest(lease_seconds, run.tries)",
        "run.not_before = now - _rest(lease_seconds, run.tries)",
        (*LIFE, "-k", "sqlite"),
    ),
    Mutant(
        "the claim's lock on PostgreSQL",
        "backend/store/lease.py",
        "        .limit(1)\n        .with_for_update(skip_locked=True)\n",
        "        .limit(1)\n",
        (*RULES, "-k", "concurrent and postgresql"),
    ),
    Mutant(
        "the sequence: an overlap is kept twice",
        "backend/store/ingest.py",
        "blocks = _new_blocks(batch, held + 1 - batch.first_seq)",
        "blocks = _new_blocks(batch, 0)",
        (*LIFE, "-k", "sqlite"),
    ),
    Mutant(
        "the sequence: a gap is taken",
        "backend/store/ingest.py",
        "if batch.first_seq > held + 1:",
        "if batch.first_seq > held + 1000:",
        (*LIFE, "-k", "sqlite"),
    ),
    Mutant(
        "the commit before the answer",
        "backend/deps.py",
        'Writing = Annotated[Session, Depends(write_session, scope="function"',
        'Writing = Annotated[Session, Depends(write_session, scope="request"',
        ("tests/faults/test_acknowledgement.py",),
    ),
    Mutant(
        "the commit before the answer, of points",
        "backend/ingest.py",
        "            return [error] * len(some)\n",
        "            return [10**6] * len(some)\n",
        ("tests/faults/test_acknowledgement.py",),
    ),
    Mutant(
        "the rename of a message: written under its own name",
        "depthboard/queue/fsq.py",
        'temporary = self.folder / f".tmp-{name}"',
        "temporary = self.folder / name",
        ("tests/faults/test_whole_or_absent.py", "-k", "message"),
    ),
    Mutant(
        "the rename of a checkpoint: written under its own name",
        "worker/artifacts.py",
        'file = self._root / f"{name}.tmp-{os.getpid()}"',
        "file = self._root / name",
        ("tests/faults/test_whole_or_absent.py", "-k", "checkpoint"),
    ),
    Mutant(
        "the hash of a checkpoint",
        "worker/checkpoint.py",
        "if file is None or file_hash(file) != note.sha256:",
        "if file is None:",
        ("tests/worker/test_checkpoint.py",),
    ),
    Mutant(
        "junk is put aside",
        "depthboard/queue/fsq.py",
        "except (ValueError, AttributeError, TypeError, OSError):",
        "except OSError:",
        ("tests/queue/test_fsq.py",),
    ),
    Mutant(
        "the fence: a worker that cannot renew trains on",
        "worker/supervise.py",
        "return watch.renewed + FENCE_SHARE * claim.lease_seconds",
        'return float("inf")',
        ("tests/faults/test_workers.py", "-m", "long", "-k", "cannot_renew"),
    ),
    Mutant(
        "a training dies with its worker",
        "depthboard/process.py",
        "ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, number)",
        "pass",
        ("tests/worker/test_supervise.py", "-k", "dies_with_its_killed_supervisor"),
    ),
    Mutant(
        "the stream's order: versions fall",
        "backend/store/outbox.py",
        "    return list(kept.values())\n",
        "    return list(kept.values())[::-1]\n",
        ("tests/faults/test_network_and_clock.py", "-k", "browser"),
    ),
)


def copy_tree(folder: Path) -> None:
    """The files that git knows or would add, with their content of now."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, check=True, capture_output=True, text=True
    )
    for name in listed.stdout.splitlines():
        source = ROOT / name
        if source.is_file() and not name.startswith("frontend/"):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, folder / name)


def apply(mutant: Mutant, folder: Path) -> None:
    """Raises SystemExit where the change does not fit: then the table must follow the code."""
    file = folder / mutant.file
    text = file.read_text() if file.is_file() else ""
    if text.count(mutant.old) != 1:
        sys.exit(
            f"{mutant.name}: the place stands {text.count(mutant.old)} times in {mutant.file}, and must stand once"
        )
    file.write_text(text.replace(mutant.old, mutant.new))


def tests_of(folder: Path, arguments: Sequence[str]) -> tuple[int, str]:
    """pytest's exit code and its last line."""
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *arguments]
    environment = {
        **os.environ,
        "PYTHONPATH": str(folder),
        "PYTHONDONTWRITEBYTECODE": "1",
        "DEPTHBOARD_TEST_SHRINK": "0",
    }
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    return done.returncode, (done.stdout.strip().splitlines() or [done.stderr[-200:]])[-1]


def main(only: str = "") -> int:
    chosen = [mutant for mutant in MUTANTS if only in mutant.name]
    lived = []
    with tempfile.TemporaryDirectory(prefix="depthboard-mutants-") as temporary:
        folder = Path(temporary)
        copy_tree(folder)
        for mutant in chosen:  # before any is run: a table that does not fit costs no time
            apply(mutant, folder)
            shutil.copy2(ROOT / mutant.file, folder / mutant.file)
        green = {tests: tests_of(folder, tests) for tests in dict.fromkeys(mutant.tests for mutant in chosen)}
        for mutant in chosen:
            if green[mutant.tests][0] != 0:
                sys.exit(f"{mutant.name}: its tests do not pass without it: {green[mutant.tests][1]}")
            apply(mutant, folder)
            code, last = tests_of(folder, mutant.tests)
            shutil.copy2(ROOT / mutant.file, folder / mutant.file)
            verdict = {0: "LIVED", 1: "red"}.get(code, f"no answer ({code})")
            lived += [mutant.name] * (code != 1)
            print(f"{verdict:12} {mutant.name:58} {last}", flush=True)
    print(f"{len(chosen) - len(lived)} of {len(chosen)} mutants were noticed")
    return 1 if lived else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
