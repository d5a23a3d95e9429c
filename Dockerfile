# Two images from one file: `api` (no torch, Chromium for figure export) and `worker` (torch, no web server in use).
FROM python:3.11-slim AS base
WORKDIR /app
COPY constraints.txt pyproject.toml hatch_build.py README.md LICENSE ./
COPY depthboard depthboard
COPY backend backend
COPY worker worker
COPY frontend frontend

FROM base AS api
RUN apt-get update && apt-get install -y --no-install-recommends chromium && rm -rf /var/lib/apt/lists/*
RUN pip install --no-cache-dir -c constraints.txt .
CMD ["python", "-m", "backend.serve"]

FROM base AS worker
RUN pip install --no-cache-dir torch==2.13.0
RUN DEPTHBOARD_SKIP_WEB=1 pip install --no-cache-dir -c constraints.txt '.[worker]'
CMD ["python", "-m", "worker", "--slots", "1"]
