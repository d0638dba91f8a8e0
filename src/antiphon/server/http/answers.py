"""What the routes share: who asks, the parts of the server, and how answers and errors are written."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends, FastAPI, Path, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from antiphon.errors import AntiphonError, InvalidRequest, MethodNotAllowed, NotFound, Unauthenticated
from antiphon.messages import check_channel
from antiphon.server.access import User
from antiphon.server.core import Core
from antiphon.server.live.encode import dumps, problem_object
from antiphon.server.live.params import input_error


class Json(Response):
    """An answer encoded at once: states are live values."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        return dumps(content)


def the_core(request: Request) -> Core:
    core: Core = request.app.state.core
    return core


def the_user(request: Request) -> User:
    user: User | None = request.state.user
    if user is None:
        raise Unauthenticated("log in first")
    return user


def the_channel(channel: Annotated[str, Path(description="Name of a channel")]) -> str:
    return check_channel(channel)


TheCore = Annotated[Core, Depends(the_core)]
TheUser = Annotated[User, Depends(the_user)]
TheChannel = Annotated[str, Depends(the_channel)]


def answer_errors(app: FastAPI) -> None:
    """Every refusal has one form: `{code, message, pointer?, retryable}`."""

    @app.exception_handler(AntiphonError)
    async def ours(_: Request, error: AntiphonError) -> Response:
        return Json(problem_object(error), status_code=error.http_status)

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> Response:
        found = input_error(error.errors(), at="")
        return Json(problem_object(found), status_code=found.http_status)

    @app.exception_handler(HTTPException)
    async def framework(request: Request, error: HTTPException) -> Response:
        found: AntiphonError
        if error.status_code == MethodNotAllowed.http_status:
            found = MethodNotAllowed(f"{request.method} is not possible here")
        elif error.status_code == NotFound.http_status:
            found = NotFound(f"there is nothing at {request.url.path[:200]}")
        else:
            found = InvalidRequest(str(error.detail))
        return Json(problem_object(found), status_code=error.status_code, headers=error.headers)
