"""Where the sandbox's people read: what is posted to /inbox/NAME is kept, and shown at /inbox.

It stands in for a chat, a mailbox and a phone, so that a demo shows what people would have been
told. The newest are kept, and each is of a bounded size.
"""

from __future__ import annotations

import json
from collections import deque
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

if TYPE_CHECKING:
    from starlette.requests import Request

KEPT = 200
_LARGEST = 256 * 1024


class Inbox:
    """Newest last."""

    def __init__(self) -> None:
        self._kept: deque[dict[str, Any]] = deque(maxlen=KEPT)

    def routes(self) -> list[Route]:
        return [
            Route("/inbox", self._show),
            Route("/inbox/{name:path}", self._take, methods=["POST"]),
        ]

    async def _show(self, _request: Request) -> Response:
        return JSONResponse(list(self._kept))

    async def _take(self, request: Request) -> Response:
        body = b""
        async for piece in request.stream():
            body += piece
            if len(body) > _LARGEST:
                return JSONResponse({"error": "too large"}, status_code=413)
        try:
            told = json.loads(body)
        except ValueError:
            return JSONResponse({"error": "no JSON"}, status_code=400)
        self._kept.append({"to": request.path_params["name"], "told": told})
        return JSONResponse({"kept": len(self._kept)})
