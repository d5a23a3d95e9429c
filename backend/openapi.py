"""Print the OpenAPI schema, from which the browser's client is generated: `python -m backend.openapi`."""

from __future__ import annotations

import json
import sys

from backend.app import make_app
from depthboard.settings import Settings


def main() -> None:
    json.dump(make_app(Settings()).openapi(), sys.stdout, indent=2, sort_keys=True, ensure_ascii=False)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
