#!/bin/sh
# Create the virtual environment $1 with the first Python 3.11 or newer: $PYTHON, python3, python3.14 ... python3.11.
set -eu

is_new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; }

for candidate in ${PYTHON:-} python3 python3.14 python3.13 python3.12 python3.11 python; do
    if is_new_enough "$candidate"; then
        echo "Creating $1 with $("$candidate" --version)"
        exec "$candidate" -m venv --clear "$1"
    fi
done
found=$(python3 --version 2>/dev/null || echo "no python3 at all")
echo "Antiphon needs Python 3.11 or newer; here is $found." >&2
echo "Install one, or name one: make PYTHON=/path/to/python3.12 run" >&2
exit 1
