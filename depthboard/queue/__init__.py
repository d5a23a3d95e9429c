"""Wake-ups: Celery carries a doorbell, never the truth.

The row of a run is the truth; `wake` only saves a free worker from waiting for its next poll. A wake may be lost, doubled or forged: harmless.
"""

from __future__ import annotations

import logging
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from depthboard.settings import Settings, get_settings

if TYPE_CHECKING:
    from celery import Celery

WAKE = "depthboard.wake"
QUEUE = "runs"

log = logging.getLogger(__name__)


def make_app(settings: Settings) -> Celery:
    """The Celery application of both sides: no results, nothing acknowledged late, one message at a time."""
    from celery import Celery  # a twentieth of the API's start, and needed at the first submission alone
    from kombu.transport import TRANSPORT_ALIASES

    TRANSPORT_ALIASES["fsq"] = "depthboard.queue.fsq:Transport"
    url = settings.broker_url.get_secret_value()
    app = Celery("depthboard", broker=url or "fsq://localhost//")
    app.conf.update(
        task_ignore_result=True,
        task_acks_late=False,
        task_default_queue=QUEUE,
        task_publish_retry=False,
        task_serializer="json",
        accept_content=["json"],
        worker_prefetch_multiplier=1,
        worker_disable_prefetch=url.startswith("redis"),  # a setting of that transport alone
        worker_send_task_events=False,
        worker_hijack_root_logger=False,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,  # a worker outlives any time without its broker: it polls
        broker_connection_timeout=2,
        broker_transport_options=_transport_options(settings, embedded=not url),
    )
    return app


def _transport_options(settings: Settings, *, embedded: bool) -> dict[str, Any]:
    if not embedded:
        return {"socket_timeout": 5, "socket_connect_timeout": 2, "health_check_interval": 25}
    folder = settings.queue_folder
    return {
        "data_folder_in": str(folder / "messages"),
        "data_folder_out": str(folder / "messages"),
        "control_folder": str(folder / "control"),
        "polling_interval": 0.1,
    }


@lru_cache
def _app() -> Celery:
    return make_app(get_settings())


def wake(run_id: int) -> None:
    """Ring the doorbell; a broker that is down or hung costs a log line, since every worker also polls."""
    try:
        _app().send_task(WAKE, args=[run_id], queue=QUEUE, ignore_result=True)
    except Exception as error:  # whatever the broker's library raises, the run is queued already
        log.warning("wake-up for run %s not sent (%s); a worker will find it at its next poll", run_id, error)
