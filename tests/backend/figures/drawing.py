"""Draws every figure of a record's experiment as every kind of file and prints their hashes: one process of those that must agree."""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path

from pydantic import SecretStr
from starlette.testclient import TestClient

from backend.app import make_app
from backend.figures import FIGURES
from depthboard.settings import Settings

PRINT = {"width": "single", "caption": "no"}


def wanted(name: str) -> list[dict[str, str]]:
    """As on the page, and for print but for a table, which has no room in one column. PNG, which takes longest, of two figures."""
    table = name in ("results", "sharpness")
    forms = [{"format": format} for format in ("csv", "html", "svg")]
    forms.append({"format": "pdf"} if table else {"format": "pdf", **PRINT})
    return forms + ([{"format": "png", **PRINT}] if name in ("convergence", "qualitative") else [])


def main(home: Path) -> None:
    settings = Settings(_env_file=None, home=home, database_url=SecretStr(""))
    hashes = {}
    with TestClient(make_app(settings), base_url="http://127.0.0.1") as client:
        for name in FIGURES:
            for form in wanted(name):
                answer = client.get(f"/api/experiments/1/figures/{name}", params=form)
                assert answer.status_code == 200, (name, form, answer.text)
                hashes[f"{name} {form}"] = hashlib.sha256(answer.content).hexdigest()
    print(json.dumps(hashes))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
