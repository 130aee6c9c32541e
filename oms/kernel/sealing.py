"""Encryption of what is stored and read back: OMS_ENCRYPTION_KEYS, rotatable (`manage.py rotate_keys`)."""

from functools import cache

from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings


@cache
def box() -> MultiFernet:
    """The first key encrypts; all of them decrypt."""
    return MultiFernet([Fernet(key) for key in settings.OMS_ENCRYPTION_KEYS])
