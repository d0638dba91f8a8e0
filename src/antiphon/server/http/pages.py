"""The dashboard: one page for all its addresses, its assets, and the API's documentation."""

from __future__ import annotations

import html
import re
from pathlib import Path

from fastapi import APIRouter, FastAPI, Request
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.staticfiles import StaticFiles

from antiphon.errors import NotFound

STATIC = Path(__file__).parents[2] / "static"

PAGE_HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
        "font-src 'self'; connect-src 'self' ws: wss:; worker-src 'self'; base-uri 'self'; form-action 'none'; "
        "frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cache-control": "no-cache",
}
BASE = re.compile(r'<base href="[^"]*" ?/?>')
NOT_BUILT = """<!doctype html><meta charset="utf-8"><base href="/"><title>Antiphon</title>
<p>The server runs, but this installation has no dashboard. In a clone of the repository, <code>make run</code> builds
it; a wheel made by <code>pip install .</code> has it inside. The API is described in <a href="docs">docs</a>.</p>
"""

router = APIRouter(include_in_schema=False)


@router.get("/")
@router.get("/logs")
@router.get("/logs/{name}")
@router.get("/connections")
@router.get("/playground")
async def page(request: Request) -> Response:
    """The dashboard's page; `<base>` tells it where it is mounted."""
    index = STATIC / "index.html"
    text = index.read_text(encoding="utf-8") if index.exists() else NOT_BUILT
    base = html.escape(request.scope.get("root_path", "").rstrip("/") + "/", quote=True)
    return HTMLResponse(BASE.sub(lambda _: f'<base href="{base}">', text, count=1), headers=PAGE_HEADERS)


@router.get("/icon.svg")
@router.get("/theme.js")
async def file(request: Request) -> Response:
    """The few files of the dashboard whose names carry no hash."""
    path = STATIC / request.url.path.rsplit("/", 1)[-1]
    if not path.exists():
        raise NotFound("this installation has no dashboard")
    return FileResponse(path, headers={"cache-control": "no-cache", "x-content-type-options": "nosniff"})


@router.get("/docs")
async def docs() -> Response:
    """The HTTP API, readable; it draws `openapi.json`."""
    page = STATIC / "api" / "index.html"
    text = page.read_text(encoding="utf-8") if page.exists() else NOT_BUILT
    return HTMLResponse(text, headers=PAGE_HEADERS)


def mount_assets(app: FastAPI) -> None:
    """Serve what the dashboard's build made; file names carry a hash, so they may be kept."""
    app.mount("/assets", _Assets(directory=STATIC / "assets", check_dir=False), name="assets")


class _Assets(StaticFiles):
    def file_response(self, *args: object, **kwargs: object) -> Response:
        answer = super().file_response(*args, **kwargs)  # type: ignore[arg-type]
        answer.headers["cache-control"] = "public, max-age=31536000, immutable"
        answer.headers["x-content-type-options"] = "nosniff"
        return answer
