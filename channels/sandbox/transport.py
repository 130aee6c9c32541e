"""HTTP/1.1 with kept connections, in threads, that can break a connection in the middle of an answer.

werkzeug's own server closes every connection, which would hide how a connector deals with a pool of them.
"""

import io
import sys
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar
from urllib.parse import unquote

from werkzeug import Request, Response

CUT_PART = 0.5
"""A cut answer breaks off after this part of its body."""

IDLE_S = 60
"""Wall seconds after which an idle kept connection is closed."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A response, or None to drop the connection unanswered; `cut` breaks off in the middle of the body."""

    response: Response | None
    cut: bool = False


Application = Callable[[Request], Answer]


class Server(ThreadingHTTPServer):
    """Listens on construction; `serve_forever` in a thread of the caller's."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, address: tuple[str, int], application: Application) -> None:
        super().__init__(address, _Handler)
        self.application = application

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is no error; anything else is."""
        error = sys.exception() if hasattr(sys, "exception") else sys.exc_info()[1]
        if not isinstance(error, ConnectionError | TimeoutError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"
    server_version = "sandbox"
    timeout: ClassVar[float] = IDLE_S
    disable_nagle_algorithm = True
    wbufsize = -1

    def _serve(self) -> None:
        request = Request(self._environ(self._body()))
        answer = self.server.application(request)
        if answer.response is None:
            self.close_connection = True
            return
        self._send(answer.response, cut=answer.cut)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = _serve

    def _send(self, response: Response, *, cut: bool) -> None:
        body = response.get_data()
        if cut and not body:
            self.close_connection = True
            return
        self.send_response_only(response.status_code)
        bodyless = response.status_code == 204 or self.command == "HEAD"
        for name, value in response.headers.items():
            if name.lower() not in ("content-length", "connection", "transfer-encoding"):
                self.send_header(name, value.encode("utf-8").decode("latin-1"))
        if response.status_code != 204:
            self.send_header("Content-Length", str(len(body)))
        if response.headers.get("Connection") == "close":
            self.send_header("Connection", "close")
        self.end_headers()
        if not bodyless:
            self.wfile.write(body[: int(len(body) * CUT_PART)] if cut else body)
        self.wfile.flush()
        self.close_connection = self.close_connection or cut

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            return b"".join(iter(self._chunk, b""))
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _chunk(self) -> bytes:
        size = int(self.rfile.readline().split(b";")[0], 16)
        data = self.rfile.read(size)
        self.rfile.readline()
        return data

    def _environ(self, body: bytes) -> dict[str, Any]:
        """WSGI's picture of this request; the first part of the path is its SCRIPT_NAME."""
        path, _, query = self.path.partition("?")
        prefix, _, rest = path.lstrip("/").partition("/")
        host, port = self.server.server_address[:2]
        environ: dict[str, Any] = {
            "REQUEST_METHOD": self.command,
            "SCRIPT_NAME": f"/{prefix}",
            "PATH_INFO": unquote(f"/{rest}", "latin-1"),
            "QUERY_STRING": query,
            "REQUEST_URI": self.path,
            "SERVER_NAME": host,
            "SERVER_PORT": str(port),
            "SERVER_PROTOCOL": self.request_version,
            "REMOTE_ADDR": self.client_address[0],
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(body),
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
        }
        for name, value in self.headers.items():
            key = name.upper().replace("-", "_")
            if key not in ("CONTENT_TYPE", "CONTENT_LENGTH", "TRANSFER_ENCODING"):
                environ[f"HTTP_{key}"] = value
        return environ

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """The journal of the world tells more than an access log."""

    def log_error(self, format: str, *args: Any) -> None:
        """Idle and broken connections are part of the game."""
