"""A client as the benchmark starts them, whose work is to wait: `python -m tests.bench.waiting_client`."""

from __future__ import annotations

import json
import sys
import time

from bench.tracking.processes import serve_client, wait_for_start


def wait(seconds: float, said: str = "") -> None:
    wait_for_start()
    time.sleep(seconds)
    print("a word on the way")
    print(json.dumps(said))


def fail(_: None) -> None:
    wait_for_start()
    sys.exit(3)


if __name__ == "__main__":
    serve_client({"wait": wait, "fail": fail})
