"""The embedded queue: Celery over a folder, for machines without a broker.

kombu's file-system transport, hardened where it dies or loses: a message appears complete or not at all (temporary name, then rename), names sort by wall clock so order
outlives a reboot, and whatever is no message is put aside instead of killing the consumer.
"""

from __future__ import annotations

import contextlib
import os
import time
import uuid
from pathlib import Path
from queue import Empty
from typing import Any

from kombu.exceptions import ChannelError
from kombu.transport import filesystem, virtual
from kombu.utils.encoding import bytes_to_str, str_to_bytes
from kombu.utils.json import dumps, loads

MAX_MESSAGE = 1 << 20


class Channel(filesystem.Channel):
    @property
    def folder(self) -> Path:
        folder = Path(self.transport_options["data_folder_in"])
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return folder

    @property
    def data_folder_in(self) -> str:
        """The base class lists it before anyone has put a message."""
        return str(self.folder)

    def _queue_bind(self, exchange: str, routing_key: str, pattern: str, queue: str) -> None:
        self.control_folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with contextlib.suppress(FileNotFoundError):
            file = self._exchange_file(exchange)
            if file.stat().st_size == 0:  # a crash between creating and writing it
                file.unlink()
        super()._queue_bind(exchange, routing_key, pattern, queue)

    def _put(self, queue: str, payload: Any, **_: Any) -> None:
        name = f"{time.time_ns():020d}_{uuid.uuid4().hex}.{queue}.msg"
        temporary = self.folder / f".tmp-{name}"
        try:
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(str_to_bytes(dumps(payload)))
            temporary.rename(self.folder / name)
        except OSError as error:
            with contextlib.suppress(OSError):
                temporary.unlink()
            raise ChannelError(f"the queue folder {self.folder} takes no message: {error}") from error

    def _get(self, queue: str) -> Any:
        for name in sorted(os.listdir(self.folder)):
            if name.startswith(".") or name.partition(".")[2] != f"{queue}.msg":
                continue
            taken = self.folder / f".take-{os.getpid()}-{name}"
            try:
                (self.folder / name).rename(taken)
            except OSError:
                continue  # another worker was quicker
            payload = self._read(taken)
            if payload is not None:
                return payload
        raise Empty

    def _read(self, taken: Path) -> Any:
        """The message, or None after putting junk aside as .bad-…"""
        try:
            if taken.stat().st_size > MAX_MESSAGE:
                raise ValueError("too large")
            payload = loads(bytes_to_str(taken.read_bytes()))
            if not (isinstance(payload, dict) and {"body", "properties", "headers"} <= payload.keys()):
                raise ValueError("no message")
            if not {"delivery_info", "delivery_tag"} <= payload["properties"].keys():
                raise ValueError("no delivery")
        except (ValueError, AttributeError, TypeError, OSError):
            with contextlib.suppress(OSError):
                taken.rename(taken.with_name(f".bad-{taken.name.removeprefix('.take-')}"))
            return None
        with contextlib.suppress(OSError):
            taken.unlink()
        return payload


class Transport(filesystem.Transport):
    Channel = Channel
    driver_type = "fsq"
    driver_name = "fsq"
    default_port = 0

    def __init__(self, client: Any, **options: Any) -> None:
        super().__init__(client, **options)
        # The base class remembers bindings for the whole process, and so never writes them into a second or a recreated folder.
        self.state = virtual.BrokerState()

    def driver_version(self) -> str:
        return "1"
