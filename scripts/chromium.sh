#!/bin/sh
# Finds Chromium for the tests and for figure export: the system's, else Debian's (as root), else Playwright's own.
set -u
python=$1
for name in chromium chromium-browser google-chrome google-chrome-stable; do
    command -v "$name" >/dev/null 2>&1 && exit 0
done
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "Installing Debian's Chromium …"
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium; } >/dev/null && exit 0
fi
echo "Installing Playwright's Chromium …"
"$python" -m playwright install chromium && exit 0
echo "No Chromium: the browser tests and figure exports will say that they were skipped." >&2
exit 0
