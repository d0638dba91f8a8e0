"""Antiphon inside a FastAPI app: `uvicorn main:app`, then open http://127.0.0.1:8000 in two windows.

Whatever one window orders, the other one sees; a reload, a lost connection or a restart of this app loses no order.
The control room is at http://127.0.0.1:8000/antiphon/.
"""

from __future__ import annotations

from pathlib import Path

from fastapi import FastAPI
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, Field

from antiphon import Antiphon

app = FastAPI(title="Tea kitchen")
live = Antiphon(data=Path(__file__).parent / "data")
live.mount(app, "/antiphon")

PAGE = """<!doctype html><meta charset="utf-8"><title>Tea kitchen</title>
<h1>Tea kitchen</h1>
<form><input name="tea" placeholder="Which tea?" required maxlength="40"> <button>Order</button></form>
<ol></ol>
<script>
const list = document.querySelector("ol"), form = document.querySelector("form");
new EventSource("antiphon/api/stream?channel=kitchen&after=start").onmessage = ({ data }) => {
  const item = document.createElement("li");
  item.textContent = JSON.parse(data).data.tea;
  list.append(item);
};
form.onsubmit = async (event) => {
  event.preventDefault();
  const body = JSON.stringify({ tea: new FormData(form).get("tea") });
  await fetch("orders", { method: "POST", headers: { "content-type": "application/json" }, body });
  form.reset();
};
</script>
"""


class Order(BaseModel):
    """What somebody would like to drink."""

    tea: str = Field(min_length=1, max_length=40)


@app.get("/", response_class=HTMLResponse)
async def page() -> str:
    return PAGE


@app.post("/orders", status_code=201)
async def order(order: Order) -> dict[str, int]:
    """Publish the order; the answer comes once it is on disk."""
    cursor = await live.publish("kitchen", "ordered", {"tea": order.tea})
    return {"offset": cursor.offset}
