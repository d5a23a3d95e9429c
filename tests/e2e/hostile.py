"""Sixty names that try to become markup, a script, a template, a formula or somebody else's line."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

import numpy as np
import pytest

from depthboard.client import Api, Client
from depthboard.errors import InvalidInput
from depthboard.protocol import pack_depth

RAN = "window.__ran=(window.__ran||0)+1"

SCRIPTS = [
    f"<script>{RAN}</script>",
    f"</script><script>{RAN}</script>",
    f"<img src=x onerror={RAN}>",
    f'"><img src=x onerror="{RAN}">',
    f"'><img src=x onerror='{RAN}'>",
    f"<svg onload={RAN}>",
    f"<svg><script>{RAN}</script></svg>",
    f"<svg><animate onbegin={RAN} attributeName=x dur=1s>",
    f'<svg><use href="data:image/svg+xml,<svg id=x onload={RAN}>#x"/></svg>',
    f"<math><mtext><table><mglyph><style><img src=x onerror={RAN}></style>",
    f'<math><maction actiontype="statusline" xlink:href="javascript:{RAN}">x</maction></math>',
    f"<noscript><p title='</noscript><img src=x onerror={RAN}>'>",
    f"<style><img src=x onerror={RAN}></style>",
    f"<details open ontoggle={RAN}>",
    f"<body onload={RAN}>",
    "<iframe srcdoc='<script>parent.__ran=1</script>'>",
    f"<iframe src=javascript:{RAN}>",
    f"<object data=javascript:{RAN}>",
    f"<a href='javascript:{RAN}'>click</a>",
    f"<a href=' &#106;avascript:{RAN}'>click</a>",
    f"[a](javascript:{RAN})",
    f"![a](x'onerror='{RAN})",
    f"<video><source onerror={RAN}>",
    f"<input autofocus onfocus={RAN}>",
    f"<template shadowrootmode=open><img src=x onerror={RAN}></template>",
    f"<xmp></xmp><img src=x onerror={RAN}>",
    f"<!--><img src=x onerror={RAN}>-->",
    f"<![CDATA[<img src=x onerror={RAN}>]]>",
    f"javascript:{RAN}",
    f"data:text/html,<script>{RAN}</script>",
]
TEMPLATES = [
    "{{constructor.constructor('" + RAN + "')()}}",
    "${" + RAN + "}",
    "#{7*7}",
    "<%= 7*7 %>",
    "%{customdata[0]}",
    "%{fullData.name}<extra>x</extra>",
    "%(name)s %s %n",
    "{0.__class__}",
    "$\\mathrm{x}\\href{javascript:" + RAN + "}{y}$",
    "<b>bold</b><br>second line",
    "<a href='https://example.com/'>out</a>",
    "<img src='https://example.com/x.png'>",
    "<link rel=stylesheet href=https://example.com/x.css>",
    "<meta http-equiv=refresh content='0;url=https://example.com'>",
]
TEXTS = [
    "=cmd|' /C calc'!A0",
    "+1+1",
    "-2+3",
    "@SUM(1+1)",
    "\u202eevil\u202c",
    "\u200b\u200d\ufeff",
    "A\u0301\u0301\u0301\u0301\u0301\u0301",
    "'; drop table run; --",
    "../../etc/passwd",
    "__proto__",
    "constructor",
    "&lt;script&gt;&amp;#x3c;",
    "💥" * 10,
    "a" * 190,
    "\\",
    '"',
]
HOSTILE = [*SCRIPTS, *TEMPLATES, *TEXTS]
assert len(HOSTILE) == len(set(HOSTILE)) == 60

REFUSED = ["a\x00b", "\ud800", ""]
"""Names that no record takes."""

TOKEN = "hostile-token-of-this-test"


def fill(client: Client) -> tuple[int, int]:
    """Every string as a name of every kind; the experiment and the run that hold all keys, parameters, images and log lines."""
    writer = Api(client.api.url, token=TOKEN)
    for number, text in enumerate(HOSTILE):
        _begin(writer, f"each {number}", text, text, {"name": text})
    params = {text: text for text in HOSTILE} | {"nested": {text: text for text in HOSTILE[:20]}}
    held = _begin(writer, "all", "Hostile", HOSTILE[0], params)
    run = int(held["run_id"])
    path = f"/api/runs/{run}"
    writer.request("POST", f"{path}/points", {"first_seq": 0, "blocks": [_block(HOSTILE)]})
    writer.request("POST", f"{path}/log", {"offset": 0, "text": "\n".join(HOSTILE) + "\n"})
    depth = base64.b64encode(pack_depth(np.full((8, 12), 1500, np.uint16))).decode()
    for text in HOSTILE:
        body = {"step": 2, "frame": text, "height": 8, "width": 12, "depth": depth, "target": depth}
        writer.request("POST", f"{path}/depth", body)
    for number, text in enumerate(HOSTILE[:12]):
        client.api.json(
            "PUT", f"/api/workers/hostile-{number:03d}", {"host": text, "device": text, "version": text[:100]}
        )
    for text in REFUSED:
        with pytest.raises((InvalidInput, UnicodeEncodeError)):
            _begin(writer, "refused", text, text, {})
    writer.close()
    return int(held["experiment_id"]), run


def rename(client: Client, experiment: int) -> None:
    """An experiment with figures takes hostile words too."""
    tags = [text for text in HOSTILE if text.strip() == text and len(text) < 80][:12]
    words = {"name": HOSTILE[2], "description": "\n\n".join(HOSTILE), "tags": tags}
    client.api.json("PATCH", f"/api/experiments/{experiment}", words)


def _block(keys: list[str]) -> dict[str, Any]:
    steps = [1, 2]
    return {"keys": keys, "steps": steps, "walls": [1e9, 1e9 + 1], "values": [0.5] * (len(steps) * len(keys))}


def _begin(writer: Api, seed: str, experiment: str, name: str, params: dict[str, Any]) -> dict[str, Any]:
    body = {"experiment": experiment, "name": name, "params": params, "host": name, "device": name}
    identity = hashlib.sha256(seed.encode()).hexdigest()
    return dict(writer.json("POST", "/api/scripts", {"identity": identity, **body}))
