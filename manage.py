#!/usr/bin/env python
"""Django's command line. Starts the embedded servers for a command when none is configured and none runs."""

import os
import sys

from oms.runtime import up
from oms.runtime.problem import Problem


def main() -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "oms.settings")
    os.environ.setdefault("OMS_STATEMENT_TIMEOUT_S", "0")  # a command may work long; a web request may not
    if sys.argv[1:2] == ["up"]:
        return up.main(sys.argv[2:])
    from django.core.management import execute_from_command_line  # noqa: PLC0415 - `up` does without Django

    try:
        execute_from_command_line(sys.argv)
    except Problem as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
