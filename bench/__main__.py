"""`python -m bench [NAME …]` (`make bench`): runs every module of this folder that has `run() -> list[Row]`.

Prints one table, and its rows as one JSON object on the last line. Ends with status 1 when a module fails or a row
misses what it must reach.
"""

import importlib
import json
import os
import pkgutil
import sys
import time
import traceback
from collections.abc import Iterable
from dataclasses import asdict
from types import ModuleType

import django

import bench
from bench.row import Row

HEAD = ("measure", "value", "unit", "baseline", "ratio", "must", "target", "verdict")


def main(names: list[str]) -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "oms.settings")
    os.environ.setdefault("OMS_STATEMENT_TIMEOUT_S", "0")
    django.setup()
    rows: list[Row] = []
    failed = []
    for name, module in modules(names):
        began = time.monotonic()
        print(f"{name}…", file=sys.stderr, flush=True)
        try:
            rows += module.run()
        except Exception:  # one broken measure must not hide the others; it is reported and fails the whole
            traceback.print_exc()
            failed.append(name)
        print(f"{name}: {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    importlib.import_module("bench.scratch").drop_templates()  # needs Django's settings
    print(table(rows))
    for name in failed:
        print(f"FAILED: {name}")
    print(json.dumps({"rows": [{**asdict(row), "verdict": row.verdict} for row in rows], "failed": failed}))
    return 1 if failed or any(row.verdict == "BELOW" for row in rows) else 0


def modules(names: list[str]) -> Iterable[tuple[str, ModuleType]]:
    """The measuring modules by name; all of them when no name is given. Raises SystemExit for an unknown name."""
    known = [
        found.name for found in pkgutil.iter_modules(bench.__path__) if found.name not in {"__main__", "row", "scratch"}
    ]
    if unknown := set(names) - set(known):
        raise SystemExit(f"no such benchmark: {', '.join(sorted(unknown))}; there are: {', '.join(known)}")
    for name in names or known:
        module = importlib.import_module(f"bench.{name}")
        if hasattr(module, "run"):
            yield name, module


def table(rows: list[Row]) -> str:
    """Aligned columns: words to the left, figures to the right."""
    cells = [HEAD, *(cells_of(row) for row in rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(HEAD))]
    return "\n".join(
        "  ".join(
            align(cell, width, column) for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in cells
    )


def align(cell: str, width: int, column: int) -> str:
    return cell.ljust(width) if column in {0, 2, 7} else cell.rjust(width)


def cells_of(row: Row) -> tuple[str, ...]:
    sign = "≤" if row.lower_is_better else "≥"
    wanted = [f"{sign} {line:.3g}" if row.must else "–" for line in (row.must, row.target)]
    return row.name, figure(row.value), row.unit, figure(row.baseline), f"{row.ratio:.3f}", *wanted, row.verdict


def figure(number: float) -> str:
    return f"{number:,.0f}" if abs(number) >= 100 else f"{number:.2f}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
