"""Commands on what is submitted: list, pause, retry, delete; the queue and the workers."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from depthboard.client import Client
from depthboard.errors import InvalidInput
from depthboard.progress import duration, label

app = typer.Typer()
console = Console()

Experiment = Annotated[int, typer.Argument(help="Its number, see `depthboard experiments`.")]


def plural(n: int, one: str) -> str:
    return f"{n:,} {one if n == 1 else one + 's'}"


def size(n: int) -> str:
    """Bytes as people say them: 812 bytes, 3.4 MB, 1.2 GB."""
    for factor, unit in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if n >= factor:
            return f"{n / factor:.1f} {unit}"
    return plural(n, "byte")


@app.command()
def experiments(
    search: Annotated[
        str | None, typer.Option(help="Text, #tag, or tests of runs: 'loss = berhu and rmse < 0.65'.")
    ] = None,
    trash: Annotated[bool, typer.Option(help="Those in the trash.")] = False,
    archived: Annotated[bool, typer.Option(help="Those that were archived.")] = False,
) -> None:
    """The experiments, those with running runs first."""
    table = Table("experiment", "name", "runs", "state", "left", "created", box=None)
    for found in Client().experiments(q=search, trash=trash or None, archived=archived or None):
        row = (str(found["id"]), found["name"], _counts(found), _standing(found))
        left = duration(found["eta_seconds"]) if found["eta_seconds"] else "–"
        table.add_row(*row, left, found["created_at"][:16].replace("T", " "))
    console.print(table)


def _counts(experiment: dict[str, Any]) -> str:
    counts = experiment["counts"]
    others = (f"{counts[state]} {state}" for state in ("running", "failed", "cancelled") if counts[state])
    return " · ".join([f"{counts['finished']} of {sum(counts.values())}", *others])


def _standing(experiment: dict[str, Any]) -> str:
    counts = experiment["counts"]
    if experiment["deleted_at"]:
        return "in the trash"
    if experiment["paused"]:
        return "paused"
    if experiment["stalled"]:
        return f"{experiment['stalled']} stalled"
    return "training" if counts["running"] else "waiting" if counts["queued"] else "done"


@app.command()
def pause(experiment: Experiment) -> None:
    """Hold an experiment's runs back; those that train stop after a checkpoint. `resume` lets them go on."""
    found = Client().pause(experiment)
    counts = found["counts"]
    stopping = f", {plural(counts['running'], 'run')} still training" if counts["running"] else ""
    console.print(f"Experiment {experiment} is paused: {plural(found['held'], 'run')} held{stopping}.")
    if counts["queued"] > found["held"]:
        console.print("The others are also part of an experiment that is not paused.")


@app.command()
def resume(experiment: Experiment) -> None:
    """Let a paused experiment go on."""
    counts = Client().resume(experiment)["counts"]
    console.print(f"Experiment {experiment} goes on: {plural(counts['queued'], 'run')} in the queue.")


@app.command()
def delete(
    experiment: Experiment,
    now: Annotated[bool, typer.Option("--now", help="Not into the trash: remove it and its files for good.")] = False,
) -> None:
    """Move an experiment to the trash; runs that another one links go on."""
    done = Client().delete(experiment, now=now)
    if done["freed"] is not None:
        console.print(f"Experiment {experiment} is gone. {_freed(done['freed'])}")
        return
    if done["stopping"]:
        console.print(f"{plural(done['stopping'], 'run')} will stop after a checkpoint.")
    until = done["purge_at"][:16].replace("T", " ")
    if now:
        console.print(f"Experiment {experiment} goes as soon as they have stopped.")
    else:
        console.print(f"Experiment {experiment} is in the trash until {until} UTC: `depthboard restore {experiment}`.")


@app.command()
def restore(experiment: Experiment) -> None:
    """Take an experiment out of the trash; its runs go on."""
    console.print(f"Experiment {experiment} is back: {Client().restore(experiment)['name']}")


@app.command("empty-trash")
def empty_trash() -> None:
    """Remove for good what is in the trash."""
    freed = Client().empty_trash()
    console.print(f"{plural(freed['experiments'], 'experiment')} removed. {_freed(freed)}")


def _freed(freed: dict[str, Any]) -> str:
    waiting = "".join(
        f" {size(n)} wait for a worker {f'on {host}' if host else 'that reaches the shared store'}."
        for host, n in freed["waiting"].items()
    )
    return f"{size(freed['files'] + freed['database'])} are free again.{waiting}"


@app.command()
def cancel(run: int) -> None:
    """Cancel a run."""
    console.print(f"Run {run}: {_state(Client().cancel(run))}.")


@app.command()
def retry(
    run: Annotated[int | None, typer.Argument(help="A failed or cancelled run.")] = None,
    failed: Annotated[int | None, typer.Option(metavar="EXPERIMENT", help="All failed runs of it.")] = None,
    cancelled: Annotated[int | None, typer.Option(metavar="EXPERIMENT", help="All cancelled runs of it.")] = None,
    missing: Annotated[
        int | None, typer.Option(metavar="EXPERIMENT", help="Every cell of its grid that has no run with a result.")
    ] = None,
) -> None:
    """Queue a failed or cancelled run again, or those of an experiment; each goes on from its newest checkpoint."""
    given = [choice for choice in (run, failed, cancelled, missing) if choice is not None]
    if len(given) != 1:
        raise InvalidInput("one run or one of --failed, --cancelled, --missing is due.", field="retry")
    client = Client()
    if run is not None:
        console.print(f"Run {run}: {_state(client.retry(run))}.")
    elif missing is not None:
        _say_completed(client.complete(missing))
    else:
        status = "cancelled" if failed is None else "failed"
        before = client.experiment(given[0])["counts"][status]
        client.retry_all(given[0], status)
        console.print(f"{plural(before, f'{status} run')} of experiment {given[0]} in the queue again.")


def _say_completed(done: dict[str, list[int]]) -> None:
    again, created, linked = (len(done[key]) for key in ("queued_again", "created", "linked"))
    words = f"{plural(again, 'run')} queued again, {created} made anew"
    console.print(words + (f", {linked} shared with other experiments." if linked else "."))
    if done["outdated"]:
        n = len(done["outdated"])
        console.print(f"{plural(n, 'run')} ended under another training version or on other data: submit it again.")


def _state(run: dict[str, Any]) -> str:
    return "stopping" if run["cancel_requested"] and run["status"] == "running" else str(run["status"])


WAITS = {"worker": "", "backoff": "after its worker was lost", "held": "held: paused or in the trash"}


@app.command()
def queue(
    first: Annotated[list[int] | None, typer.Option(help="Put this run at the front; repeat it for several.")] = None,
) -> None:
    """What waits, in the order in which workers get it."""
    client = Client()
    if first:
        client.move_to_front(first)
    table = Table("#", "run", "what", "experiment", "priority", "waits", box=None)
    for entry in client.queue():
        run, names = entry["run"], ", ".join(e["name"] for e in entry["experiments"])
        waits = WAITS.get(entry["waits"], "for a worker of its training version")
        table.add_row(str(entry["place"] or "–"), str(run["id"]), label(run), names, str(run["priority"]), waits)
    console.print(table)


@app.command()
def workers(
    drain: Annotated[str | None, typer.Option(help="Let this one finish and take nothing more.")] = None,
    undrain: Annotated[str | None, typer.Option(help="Let this one take runs again.")] = None,
) -> None:
    """Who trains. A worker is named by its id or the beginning of it."""
    client = Client()
    known = client.workers()
    for start, draining in ((drain, True), (undrain, False)):
        if start is not None:
            client.drain(_worker(known, start), draining)
            known = client.workers()
    table = Table("worker", "host", "device", "slots", "trains", "state", box=None)
    for worker in known:
        trains = ", ".join(str(run["id"]) for run in worker["running"]) or "–"
        state = "gone" if not worker["alive"] else "finishing, takes nothing more" if worker["draining"] else "here"
        table.add_row(worker["id"][:8], worker["host"], worker["device"], str(worker["slots"]), trains, state)
    console.print(table)


def _worker(known: list[dict[str, Any]], start: str) -> str:
    """The id that begins so. Raises InvalidInput for none and for several."""
    found = [worker["id"] for worker in known if worker["id"].startswith(start)]
    if len(found) != 1:
        what = "no worker's id begins" if not found else f"{len(found)} workers' ids begin"
        raise InvalidInput(f"{what} with {start!r}.", field="worker", remedy="Look at `depthboard workers`.")
    return str(found[0])
