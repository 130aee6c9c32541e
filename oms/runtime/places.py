"""Where the embedded default keeps things: the data folder, its logs, and a short folder for sockets.

Standard library only: settings, the supervisor and the watcher all start here.
"""

import hashlib
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from oms.runtime.problem import Problem

BASE_DIR = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Places:
    """The files of one data folder. Two folders never share a server."""

    data: Path

    @property
    def postgres(self) -> Path:
        return self.data / "postgres"

    @property
    def log(self) -> Path:
        return self.data / "log"

    @property
    def sandbox_world(self) -> Path:
        """Where the marketplaces' sandbox keeps its world over restarts."""
        return self.data / "sandbox.world"

    @property
    def sandbox_addresses(self) -> Path:
        """What the running sandbox offers: one JSON object, channel → base_url, auth_url, credentials."""
        return self.data / "sandbox.json"

    @property
    def sockets(self) -> Path:
        """Short on purpose: a unix socket's path may have about 107 bytes, and a data folder may be anywhere."""
        name = hashlib.sha256(str(self.data).encode()).hexdigest()[:10]
        root = Path("/tmp") if os.access("/tmp", os.W_OK) else Path(tempfile.gettempdir())
        return root / f"oms-{os.geteuid()}-{name}"

    @property
    def postgres_socket(self) -> Path:
        """The folder that PostgreSQL puts its socket into."""
        return self.sockets / "pg"

    @property
    def redis_socket(self) -> Path:
        return self.sockets / "redis.sock"


def places() -> Places:
    """The data folder of this process: `OMS_DATA`, else `var/` of the checkout."""
    return Places(Path(os.environ.get("OMS_DATA") or BASE_DIR / "var").expanduser().resolve())


def make_folders(where: Places) -> None:
    """Create the data, log and socket folders. Raises Problem when that is not allowed or the disk is full."""
    try:
        where.log.mkdir(parents=True, exist_ok=True)
        where.sockets.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise Problem(
            f"データ用フォルダ {where.data} を使えません: {error.strerror}。"
            "空き容量と権限を確かめるか、別のフォルダを指定してください(make run DATA=… または OMS_DATA)。",
            f"The data folder {where.data} cannot be used: {error.strerror}. Free space, or name another with DATA=….",
        ) from error
    if not os.access(where.data, os.W_OK) or not os.access(where.log, os.W_OK):
        raise Problem(
            f"データ用フォルダ {where.data} は別の利用者のものです。"
            "同じ利用者で実行するか、別のフォルダを指定してください(make run DATA=… または OMS_DATA)。",
            f"The data folder {where.data} belongs to another user. Use that user, or name another folder with DATA=….",
        )
    _refuse_foreign_sockets(where.sockets)


def _refuse_foreign_sockets(folder: Path) -> None:
    """/tmp is everybody's: a folder that somebody else made there could hand us his server."""
    found = folder.lstat()
    if found.st_uid != os.geteuid() or folder.is_symlink():
        raise Problem(
            f"{folder} を別の利用者が作っています。削除してからもう一度実行してください。",
            f"{folder} was made by another user; remove it and start again.",
        )
