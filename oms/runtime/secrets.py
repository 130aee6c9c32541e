"""Secrets of a local installation: made once, kept in the data folder, readable by its owner only."""

import contextlib
import os
import secrets

from cryptography.fernet import Fernet

from oms.runtime.places import Places, make_folders


def secret_key(where: Places) -> str:
    """Django's SECRET_KEY; kept, so that a restart does not log people out."""
    return _kept(where, "secret.key", secrets.token_urlsafe(64))


def encryption_key(where: Places) -> str:
    """The Fernet key of stored credentials. Losing the file means typing the credentials again."""
    return _kept(where, "encryption.key", Fernet.generate_key().decode())


def _kept(where: Places, name: str, fresh: str) -> str:
    """The file's content; of two processes that start at once, both get what the first wrote."""
    make_folders(where)
    path = where.data / name
    if not path.exists():
        scratch = path.with_name(f"{name}.{os.getpid()}")
        scratch.touch(mode=0o600)
        scratch.write_text(fresh)
        with contextlib.suppress(FileExistsError):  # another process was first: its key counts
            os.link(scratch, path)
        scratch.unlink()
    return path.read_text().strip()
