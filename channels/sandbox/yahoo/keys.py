"""The store's key pair. The real mall keeps the private half; here it is made from the seed, the same each time."""

import hashlib
from collections.abc import Iterator
from functools import cache

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

BITS = 1024  # per prime
EXPONENT = 65537
SMALL_PRIMES = [n for n in range(3, 2000, 2) if all(n % d for d in range(3, int(n**0.5) + 1, 2))]
ROUNDS = 12


@cache
def private_key(seed: str) -> rsa.RSAPrivateKey:
    """An RSA key of 2,048 bits that depends on `seed` only. It protects nothing: it makes tests repeatable."""
    numbers = _numbers(seed)
    p = _prime(numbers)
    q = _prime(numbers)
    d = pow(EXPONENT, -1, (p - 1) * (q - 1))
    public = rsa.RSAPublicNumbers(EXPONENT, p * q)
    private = rsa.RSAPrivateNumbers(
        p, q, d, rsa.rsa_crt_dmp1(d, p), rsa.rsa_crt_dmq1(d, q), rsa.rsa_crt_iqmp(p, q), public
    )
    return private.private_key()


def public_pem(key: rsa.RSAPrivateKey) -> str:
    encoded = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return encoded.decode().strip()


def _numbers(seed: str) -> Iterator[int]:
    counter = 0
    while True:
        blocks = [hashlib.sha512(f"{seed}:{counter}:{part}".encode()).digest() for part in range(BITS // 512)]
        yield int.from_bytes(b"".join(blocks), "big")
        counter += 1


def _prime(numbers: Iterator[int]) -> int:
    start = next(numbers) | (3 << (BITS - 2)) | 1
    candidate = start
    while not (_may_be_prime(candidate) and (candidate - 1) % EXPONENT):
        candidate += 2
    return candidate


def _may_be_prime(number: int) -> bool:
    """Miller and Rabin, with fixed bases."""
    if any(number % prime == 0 for prime in SMALL_PRIMES):
        return False
    odd, twos = number - 1, 0
    while odd % 2 == 0:
        odd, twos = odd // 2, twos + 1
    return all(_passes(number, base, odd, twos) for base in SMALL_PRIMES[:ROUNDS])


def _passes(number: int, base: int, odd: int, twos: int) -> bool:
    power = pow(base, odd, number)
    if power in (1, number - 1):
        return True
    for _ in range(twos - 1):
        power = power * power % number
        if power == number - 1:
            return True
    return False
