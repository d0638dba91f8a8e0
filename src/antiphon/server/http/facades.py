"""The routes of the protocols of other systems."""

from __future__ import annotations

from fastapi import APIRouter

from antiphon.server.http import facade_agui, facade_vercel

router = APIRouter()
for part in (facade_agui, facade_vercel):
    router.include_router(part.router)
