"""`python -m worker --slots 2`: a Celery worker whose one task rings the doorbell of its slots."""

from __future__ import annotations

import argparse
import logging
import sys

from celery.signals import worker_shutting_down

from depthboard.errors import DepthboardError
from depthboard.process import die_with_parent
from depthboard.queue import QUEUE, WAKE, make_app
from depthboard.settings import get_settings
from worker.calibrate import calibrate
from worker.gpus import device_name
from worker.slots import Slots


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m worker", description="Train runs from the queue.")
    parser.add_argument("--slots", type=int, default=1, help="trainings side by side on this host")
    parser.add_argument("--with-parent", type=int, help="end when the process of this id ends")
    options = parser.parse_args(arguments)
    if options.with_parent:
        die_with_parent(options.with_parent)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    for noisy in ("httpx2", "httpcore2"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    settings = get_settings()
    settings.queue_folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        calibration = calibrate(settings, options.slots)
    except DepthboardError as error:
        print(error, file=sys.stderr)
        return 2
    slots = Slots(settings, options.slots, device_name(), calibration)
    app = make_app(settings)

    @app.task(name=WAKE)
    def wake(*_: object) -> None:
        slots.ring()  # for whichever run is best: the one that the message names may be taken already

    @worker_shutting_down.connect(weak=False)
    def shut_down(**_: object) -> None:
        slots.stopping.set()

    slots.start()
    try:
        app.worker_main(
            [
                "worker",
                "--pool",
                "threads",
                "--concurrency",
                "1",
                "--queues",
                QUEUE,
                "--without-mingle",
                "--without-gossip",
                "--loglevel",
                "WARNING",
            ]
        )
    finally:
        slots.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
