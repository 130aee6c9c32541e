"""AWS's request signature, version 4: whether a call to the queue was signed with the right key."""

import hashlib
import hmac
import re
from urllib.parse import quote

from werkzeug import Request

AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<key>[^/]+)/(?P<scope>(?P<day>\d{8})/(?P<region>[^/]+)/(?P<service>[^/]+)/"
    r"aws4_request), ?SignedHeaders=(?P<names>[^,]+), ?Signature=(?P<signature>[0-9a-f]{64})"
)


def signature_fault(request: Request, key_id: str, secret: str) -> tuple[str, str] | None:
    """(code, text) of what is wrong with the signature, or None."""
    found = AUTHORIZATION.fullmatch(request.headers.get("Authorization", ""))
    if found is None:
        return "MissingAuthenticationToken", "Request is missing Authentication Token"
    if found["key"] != key_id:
        return "InvalidClientTokenId", "The security token included in the request is invalid."
    raw_path = str(request.environ.get("REQUEST_URI", "/")).partition("?")[0]
    names = found["names"].split(";")
    canonical = "\n".join(
        [
            request.method,
            quote(raw_path, safe="/-_.~%"),
            request.query_string.decode(),
            *(f"{name}:{' '.join(request.headers.get(name, '').split())}" for name in names),
            "",
            found["names"],
            hashlib.sha256(request.get_data()).hexdigest(),
        ]
    )
    time = request.headers.get("X-Amz-Date", "")
    signed = "\n".join(["AWS4-HMAC-SHA256", time, found["scope"], hashlib.sha256(canonical.encode()).hexdigest()])
    key = f"AWS4{secret}".encode()
    for part in (found["day"], found["region"], found["service"], "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    if not hmac.compare_digest(hmac.digest(key, signed.encode(), "sha256").hex(), found["signature"]):
        text = "The request signature we calculated does not match the signature you provided."
        return "SignatureDoesNotMatch", text
    return None
