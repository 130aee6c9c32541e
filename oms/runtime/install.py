"""Makes `.venv` and installs what pyproject.toml asks for, at the versions of constraints.txt. Standard library only.

`install.py [EXTRA …]` installs the dependencies and these extras; when nothing changed it does nothing.
`install.py --print [EXTRA …]` prints them, one requirement a line (for the production image).
pip decides from where: its configuration is the machine's affair.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parents[2]
VENV = BASE_DIR / ".venv"
PYTHON = VENV / "bin" / "python"
CONSTRAINTS = BASE_DIR / "constraints.txt"
NEEDED_MB = 1500


class Refused(Exception):
    """Japanese and English words for what is in the way."""


def main(arguments: list[str]) -> int:
    extras = [argument for argument in arguments if not argument.startswith("--")]
    if "--print" in arguments:
        print("\n".join(requirements(extras)))
        return 0
    try:
        install(extras)
    except Refused as refused:
        print(f"\nインストールできません / cannot install\n{refused}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\n中断しました。もう一度実行すると続きから始めます。", file=sys.stderr)
        return 130
    return 0


def install(extras: list[str]) -> None:
    """Bring `.venv` up to date. Raises Refused."""
    if is_current(extras):
        return
    began = time.monotonic()
    check_disk()
    if not has_pip():
        make_venv()
    print("部品をインストールしています(初回は数分かかります)", end="", flush=True)
    complaint = run_pip(requirements(extras))
    if complaint is not None:
        raise Refused(
            f"{complaint}\n"
            "部品をインストールできませんでした。上の表示と、ネットワークと pip の設定、空き容量を確かめてください。\n"
            "The packages could not be installed: see above; check network, pip's configuration and disk space."
        )
    remember(extras)
    print(f"インストールしました({time.monotonic() - began:.0f} 秒)", flush=True)


def run_pip(wanted: list[str]) -> str | None:
    """Install, with a dot for each package found. None, or the end of what pip complained about."""
    plain = ["--disable-pip-version-check", "--progress-bar", "off"]
    pip = [str(PYTHON), "-m", "pip", "install", *plain, "-c", str(CONSTRAINTS), *wanted]
    with tempfile.TemporaryFile("w+") as complaints:
        with subprocess.Popen(pip, cwd=BASE_DIR, stdout=subprocess.PIPE, stderr=complaints, text=True) as running:
            for line in running.stdout or ():
                if line.startswith("Collecting "):
                    print(".", end="", flush=True)
        print(flush=True)
        complaints.seek(0)
        return "\n".join(complaints.read().splitlines()[-20:]) if running.returncode else None


def requirements(extras: list[str]) -> list[str]:
    project = tomllib.loads((BASE_DIR / "pyproject.toml").read_text())["project"]
    optional = project["optional-dependencies"]
    return [*project["dependencies"], *(one for extra in extras for one in optional[extra])]


def is_current(extras: list[str]) -> bool:
    """True when this set, or a larger one, was installed from the same pins into this place."""
    if not has_pip():
        return False
    return all(mark(extra).exists() and mark(extra).read_text() == state(extra) for extra in ["", *extras])


def remember(extras: list[str]) -> None:
    for extra in ["", *extras]:
        mark(extra).write_text(state(extra))


def mark(extra: str) -> Path:
    return VENV / f".installed-{extra or 'base'}"


def state(extra: str) -> str:
    """A fingerprint of what this extra asks for; the folder counts too, because a venv cannot be moved."""
    wanted = [str(BASE_DIR), CONSTRAINTS.read_text(), *requirements([extra] if extra else [])]
    return hashlib.sha256("\n".join(wanted).encode()).hexdigest()


def check_disk() -> None:
    free_mb = shutil.disk_usage(BASE_DIR).free // 2**20
    if free_mb < NEEDED_MB:
        raise Refused(
            f"空き容量が足りません: {BASE_DIR} に {free_mb} MB しかありません({NEEDED_MB} MB 以上必要です)。\n"
            f"No disk space: {free_mb} MB free, {NEEDED_MB} MB needed."
        )


def has_pip() -> bool:
    return PYTHON.exists() and run_quietly([str(PYTHON), "-m", "pip", "--version"])


def make_venv() -> None:
    """A virtual environment with pip; Debian keeps the module for that in a package of its own."""
    print(f"Python の環境を作成しています({sys.version.split()[0]} → .venv)…", flush=True)
    create = [sys.executable, "-m", "venv", "--clear", str(VENV)]
    if run_quietly(create) and has_pip():
        return
    package = f"python{sys.version_info.major}.{sys.version_info.minor}-venv"
    if shutil.which("apt-get") and os.geteuid() == 0:
        print(f"Debian の {package} をインストールしています…", flush=True)
        run_quietly(["apt-get", "update", "-q"])
        run_quietly(["apt-get", "install", "-y", "-q", "--no-install-recommends", package])
        if run_quietly(create) and has_pip():
            return
    if borrow_pip():
        return
    raise Refused(
        f"Python の venv モジュールがありません。root で次を実行してから、もう一度試してください:\n"
        f"    apt-get install {package}\n"
        f"Python's venv module is missing; install {package} as root, then try again."
    )


def borrow_pip() -> bool:
    """Without ensurepip, a pip of the machine itself can still fill the environment."""
    bare = [sys.executable, "-m", "venv", "--clear", "--without-pip", str(VENV)]
    lend = [sys.executable, "-m", "pip", "--python", str(PYTHON), "install", "--quiet", "pip"]
    return run_quietly(bare) and run_quietly(lend) and has_pip()


def run_quietly(command: list[str]) -> bool:
    return subprocess.run(command, check=False, capture_output=True).returncode == 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
