"""Compiles translations (.po → .mo) without gettext's programs, which a fresh machine does not have."""

from pathlib import Path

import polib

from oms.runtime.places import BASE_DIR


def compile_all(root: Path = BASE_DIR / "locale") -> list[Path]:
    """Compile every catalogue that is newer than its result; returns the files written."""
    stale = [po for po in sorted(root.glob("*/LC_MESSAGES/*.po")) if _is_stale(po)]
    return [_compile(po) for po in stale]


def _is_stale(po: Path) -> bool:
    mo = po.with_suffix(".mo")
    return not mo.exists() or mo.stat().st_mtime < po.stat().st_mtime


def _compile(po: Path) -> Path:
    """Written aside and renamed: a process that starts meanwhile never reads half a file."""
    scratch = po.with_suffix(".mo.tmp")
    polib.pofile(str(po)).save_as_mofile(str(scratch))
    return scratch.rename(po.with_suffix(".mo"))


if __name__ == "__main__":
    for written in compile_all():
        print(written.relative_to(BASE_DIR))
