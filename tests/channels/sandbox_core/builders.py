"""A clock that stands still until it is told otherwise, and a marketplace small enough to read."""

from datetime import UTC, datetime, timedelta
from typing import ClassVar

from werkzeug import Request, Response

from channels.sandbox.faults import Fault
from channels.sandbox.model import Channel
from channels.sandbox.simulator import Simulator, json_response

MORNING = datetime(2026, 10, 5, 0, 0, tzinfo=UTC)  # 09:00 in Tokyo


class Clock:
    def __init__(self, at: datetime = MORNING) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at

    def forward(self, **duration: float) -> None:
        self.at += timedelta(**duration)


class TinyMall(Simulator):
    """`POST /count` counts, `GET /page?start=` gives three numbers of a list, anything else echoes."""

    channel: ClassVar[Channel] = "rakuten"
    counted = 0

    def credentials(self) -> dict[str, str]:
        return {"license_key": "tiny"}

    def handle(self, request: Request) -> Response:
        if request.path == "/count":
            self.counted += 1
            return json_response({"counted": self.counted, "padding": "あ" * 200})
        if request.path == "/page":
            return json_response(self.page(range(9), int(request.args["start"]), 3))
        if request.path == "/nothing":
            return Response(status=204)
        if request.path == "/bug":
            raise RuntimeError("as simulators sometimes do")
        echo = {"path": request.path, "root": request.script_root, "query": request.args.to_dict()}
        return json_response({**echo, "method": request.method, "body": request.get_data(as_text=True)})

    def fault_response(self, fault: Fault, request: Request) -> Response:
        status = int(fault.kind) if fault.kind.isdigit() else 503
        return json_response({"refused": fault.kind}, status)
