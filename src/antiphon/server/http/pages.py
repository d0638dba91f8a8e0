"""The dashboard: one page for all its addresses, its assets, and the API's documentation."""

from __future__ import annotations

import html
import re
from pathlib import Path

from fastapi import APIRouter, FastAPI, Request
from starlette.responses import FileResponse, HTMLResponse, RedirectResponse, Response
from starlette.staticfiles import StaticFiles

from antiphon.errors import NotFound

STATIC = Path(__file__).parents[2] / "static"

UNCACHED = {"cache-control": "no-cache", "x-content-type-options": "nosniff"}
IMMUTABLE = {"cache-control": "public, max-age=31536000, immutable", "x-content-type-options": "nosniff"}


def _page_headers(*, connect: str) -> dict[str, str]:
    """What a page of ours may load and do: its own files, nothing inline, and talking to this server."""
    return UNCACHED | {
        "content-security-policy": (
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
            f"connect-src {connect}; worker-src 'self'; base-uri 'self'; form-action 'none'; frame-ancestors 'none'"
        ),
        "referrer-policy": "no-referrer",
        "cross-origin-opener-policy": "same-origin",
    }


DASHBOARD = _page_headers(connect="'self' ws: wss:")
DOCUMENTATION = _page_headers(connect="'self'")
BASE = re.compile(r'<base href="[^"]*" ?/?>')
NOT_BUILT = """<!doctype html><meta charset="utf-8"><base href="/"><title>Antiphon</title>
<p>The server runs, but this installation has no dashboard. In a clone of the repository, <code>make run</code> builds
it; a wheel made by <code>pip install .</code> has it inside. The API is described in
<a href="openapi.json">openapi.json</a>.</p>
"""

router = APIRouter(include_in_schema=False)
files = APIRouter(include_in_schema=False)  # what the page needs beside its assets


@router.get("/")
@router.get("/logs")
@router.get("/logs/{name}")
@router.get("/runs")
@router.get("/runs/{name}")
@router.get("/inbox")
@router.get("/agents")
@router.get("/agents/{name}")
@router.get("/agents/{name}/{thread}")
@router.get("/forum")
@router.get("/forum/{name}")
@router.get("/connections")
@router.get("/playground")
async def page(request: Request) -> Response:
    """The dashboard's page; `<base>` tells it where it is mounted."""
    return _page(request, "index.html", DASHBOARD)


async def playground(request: Request) -> Response:
    """The dashboard's page at the address of another system's test page."""
    return _page(request, "index.html", DASHBOARD)


@files.get("/icon.svg")
@files.get("/theme.js")
async def file(request: Request) -> Response:
    """The few files of the dashboard whose names carry no hash."""
    path = STATIC / request.url.path.rsplit("/", 1)[-1]
    if not path.exists():
        raise NotFound("this installation has no dashboard")
    return FileResponse(path, headers=UNCACHED)


@files.get("/favicon.ico")
async def favicon() -> Response:
    """Browsers ask for it wherever a page names no icon, for instance where JSON is shown."""
    return RedirectResponse("icon.svg")


@router.get("/docs")
async def to_docs() -> Response:
    """Its files are beside it, so it needs the slash."""
    return RedirectResponse("docs/")


@router.get("/docs/")
async def docs(request: Request) -> Response:
    """The HTTP API, readable; it draws `openapi.json`."""
    return _page(request, "api/index.html", DOCUMENTATION)


def mount_assets(app: FastAPI) -> None:
    """Serve what the dashboard's build made; names in `assets` carry a hash, so those may be kept."""
    app.mount("/assets", _Files(STATIC / "assets", IMMUTABLE), name="assets")


def mount_docs(app: FastAPI) -> None:
    app.mount("/docs", _Files(STATIC / "api", UNCACHED), name="docs")


def _page(request: Request, name: str, headers: dict[str, str]) -> Response:
    path = STATIC / name
    text = path.read_text(encoding="utf-8") if path.exists() else NOT_BUILT
    base = html.escape(request.scope.get("root_path", "").rstrip("/") + "/", quote=True)
    return HTMLResponse(BASE.sub(lambda _: f'<base href="{base}">', text, count=1), headers=headers)


class _Files(StaticFiles):
    def __init__(self, directory: Path, headers: dict[str, str]) -> None:
        super().__init__(directory=directory, check_dir=False)
        self._headers = headers

    def file_response(self, *args: object, **kwargs: object) -> Response:
        answer = super().file_response(*args, **kwargs)  # type: ignore[arg-type]
        answer.headers.update(self._headers)
        return answer
