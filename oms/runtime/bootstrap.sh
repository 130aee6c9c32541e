#!/bin/sh
# Finds a Python that is new enough and lets it install everything into .venv. Arguments: the extras wanted.
set -eu
here=$(cd "$(dirname "$0")" && pwd)

new_enough() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

found=
for candidate in ${PYTHON:-} python3.11 python3 python3.12 python3.13 python3.14 python; do
    if command -v "$candidate" >/dev/null 2>&1 && new_enough "$candidate"; then
        found=$candidate
        break
    fi
done

if [ -z "$found" ]; then
    {
        echo "Python 3.11 以上が必要です。"
        if command -v python3 >/dev/null 2>&1; then
            echo "見つかったのは $(python3 --version 2>&1) です。"
        fi
        echo "インストールしてからもう一度実行してください。例: apt-get install python3 python3-venv"
        echo "別の場所にあるときは: make run PYTHON=/path/to/python3"
        echo "Python 3.11 or newer is needed and was not found."
    } >&2
    exit 1
fi
exec "$found" "$here/install.py" "$@"
