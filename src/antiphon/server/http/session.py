"""Who one is: sessions for browsers, tickets for sockets of other origins."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from antiphon.server.access import LOCAL, User
from antiphon.server.auth import Authenticator
from antiphon.server.auth.authenticator import clear_cookie, set_cookie
from antiphon.server.body import body_of, documented
from antiphon.server.http.answers import Json, TheUser
from antiphon.server.live.params import TokenParams

router = APIRouter(prefix="/api", tags=["session"])


@router.get("/session")
async def who(request: Request, user: TheUser) -> Response:
    """Who this client is."""
    return Json(_about(request, user))


@router.post("/session", openapi_extra=documented(TokenParams))
async def log_in(request: Request, wanted: Annotated[TokenParams, Depends(body_of(TokenParams))]) -> Response:
    """Exchange a token for a session cookie."""
    authenticator = _authenticator(request)
    if not authenticator.enabled:
        return Json(_about(request, LOCAL))
    answer = Json(_about(request, authenticator.by_token(wanted.token)))
    cookie = authenticator.open_session(wanted.token)
    answer.headers.append("set-cookie", set_cookie(cookie, secure=_secure(request), path=_path(request)))
    return answer


@router.delete("/session", status_code=204)
async def log_out(request: Request) -> Response:
    """Make the browser forget its session."""
    answer = Response(status_code=204)
    answer.headers.append("set-cookie", clear_cookie(secure=_secure(request), path=_path(request)))
    return answer


@router.post("/tickets")
async def ticket(request: Request, user: TheUser) -> Response:
    """A one-use ticket for `/live` or `/api/stream`."""
    issued = _authenticator(request).issue_ticket(user)
    return Json(issued._asdict())


def _authenticator(request: Request) -> Authenticator:
    found: Authenticator = request.app.state.authenticator
    return found


def _about(request: Request, user: User) -> dict[str, Any]:
    return {"user": user.name, "grants": user.grants, "auth": _authenticator(request).enabled}


def _secure(request: Request) -> bool:
    return bool(request.state.admitted.scheme == "https")


def _path(request: Request) -> str:
    return request.scope.get("root_path", "").rstrip("/") or "/"
