"""JSON in pieces is complete where a parser says so, and not before."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from antiphon.dialects.json_text import GrowingJson

VALUES: st.SearchStrategy[Any] = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(alphabet='{}[]"\\, x\n日', max_size=6)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text('{"\\', max_size=3), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(VALUES, st.booleans(), st.data())
def test_it_is_complete_with_its_last_character(value: Any, is_ascii: bool, data: st.DataObject) -> None:
    text = data.draw(st.sampled_from(["", " \n"])) + json.dumps(value, ensure_ascii=is_ascii)
    growing = GrowingJson()
    start = 0
    while start < len(text):
        end = data.draw(st.integers(start + 1, len(text)))
        complete = growing.feed(text[start:end])
        assert complete == (end == len(text) and isinstance(value, dict | list))
        start = end
    if isinstance(value, dict | list):
        assert growing.feed("\n")
        assert not growing.feed('{"and": ')
