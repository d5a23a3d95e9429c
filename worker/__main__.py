"""`python -m worker --slots 2`: a Celery worker whose one task rings the doorbell of its slots."""

from __future__ import annotations

import argparse
import logging
import signal
import sys

from celery.signals import worker_shutting_down

from depthboard.errors import DepthboardError
from depthboard.process import die_with_parent
from depthboard.queue import QUEUE, WAKE, make_app
from depthboard.settings import Settings, get_settings
from worker import artifacts, gpus, orphans
from worker.calibrate import calibrate
from worker.places import Places
from worker.slots import Slots

CELERY = ["--pool", "threads", "--concurrency", "1", "--queues", QUEUE, "--without-mingle", "--without-gossip"]


def main(arguments: list[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    if options.with_parent:
        die_with_parent(options.with_parent)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    for noisy in ("httpx2", "httpcore2"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    settings = get_settings()
    try:
        slots = _prepare(settings, options)
    except DepthboardError as error:
        print(error, file=sys.stderr)
        return 2
    _serve(settings, slots)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m worker", description="Train runs from the queue.")
    parser.add_argument("--slots", type=_positive, default=1, help="trainings on each GPU, without one on this host")
    parser.add_argument("--gpus", default="", help="only these, by number or UUID, with commas between them")
    parser.add_argument("--with-parent", type=int, help="end when the process of this id ends")
    return parser


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is no number from 1 up")
    return int(text)


def _prepare(settings: Settings, options: argparse.Namespace) -> Slots:
    """Clear up after a worker that was killed, and know this host. Raises Misconfigured."""
    settings.queue_folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if options.gpus:
        gpus.restrict(options.gpus)
    artifacts.open_store(settings)
    orphans.sweep(settings.home)
    places = Places(gpus.visible_gpus(), options.slots)
    return Slots(settings, places, calibrate(settings, list(places.all)))


def _serve(settings: Settings, slots: Slots) -> None:
    """Until SIGTERM or SIGINT, which gives the runs back after a checkpoint; a second one ends them at once."""
    app = make_app(settings)

    @app.task(name=WAKE)
    def wake(*_: object) -> None:
        slots.ring()  # for whichever run is best: the one that the message names may be taken already

    def leave(*_: object, **__: object) -> None:
        (slots.leave.hurry if slots.leave.stopping.is_set() else slots.leave.stopping).set()

    worker_shutting_down.connect(leave, weak=False)
    slots.start()
    try:
        app.worker_main(["worker", *CELERY, "--loglevel", "WARNING"])
    finally:
        slots.leave.stopping.set()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, leave)
        slots.stop()


if __name__ == "__main__":
    sys.exit(main())
