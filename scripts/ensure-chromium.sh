#!/bin/sh
# Browser tests drive Chromium. Install Debian's where it is missing and we may; otherwise say that they will be skipped.
set -eu

command -v chromium >/dev/null 2>&1 && exit 0

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "Installing Chromium for the browser tests"
    export DEBIAN_FRONTEND=noninteractive
    if apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium </dev/null >/dev/null; then
        exit 0
    fi
    [ "${CI:-}" != true ] || { echo "Chromium could not be installed, and CI must not skip the browser tests" >&2; exit 1; }
fi
echo "Chromium is missing: browser tests will be skipped (on Debian: apt-get install chromium)"
