# ruff: noqa: E501  each attempt is one line of JavaScript
"""What a hostile page tries. Each attempt returns what the page learnt ("" = nothing), once it is over."""

from __future__ import annotations

from playwright.sync_api import Page

ATTEMPTS = {
    "fetch": "return await (await fetch(events)).text()",
    "fetch with credentials": "return await (await fetch(events, {credentials: 'include'})).text()",
    "fetch without cors": "return await (await fetch(events, {mode: 'no-cors'})).text()",
    "post without cors": "return await (await fetch(events, {method: 'POST', mode: 'no-cors', body: event})).text()",
    "post json": "return await (await fetch(events, {method: 'POST', headers: {'content-type': 'application/json'}, body: event})).text()",
    "start a program": "return await (await fetch(start, {method: 'POST'})).text()",
    "start a program without cors": "return await (await fetch(start, {method: 'POST', mode: 'no-cors'})).text()",
    "start a program by a beacon": "navigator.sendBeacon(start); return ''",
    "delete": "return await (await fetch(events, {method: 'DELETE'})).text()",
    "image": "const image = new Image(); const over = once(image); image.src = events; await over; return image.width ? 'image' : ''",
    "script": "const tag = document.createElement('script'); const over = once(tag); tag.src = at + '/api/script'; document.head.append(tag); await over; return window.stolen ?? ''",
    "frame": "const frame = document.createElement('iframe'); const over = once(frame); frame.src = events; document.body.append(frame); await over; return seen(frame)",
    "stream": "const source = new EventSource(at + '/api/stream?channel=news:tea&after=start'); return await new Promise(done => { source.onmessage = e => { source.close(); done(e.data) }; source.onerror = () => { source.close(); done('') } })",
    "socket": "const socket = new WebSocket(at.replace('http', 'ws') + '/live'); return await new Promise(done => { socket.onmessage = e => { socket.close(); done(e.data) }; socket.onclose = () => done('') })",
    "form": 'const [frame, over] = submitted(events, \'POST\', {\'{"type":"theirs","data":"\': \'"}\'}); await over; return seen(frame)',
    "form that starts a program": "const [frame, over] = submitted(start, 'POST', {}); await over; return seen(frame)",
    "form that reads": "const [frame, over] = submitted(events, 'GET', {limit: '5'}); await over; return seen(frame)",
}

_RUN = """async at => {
    const events = at + '/api/channels/news:tea/events', start = at + '/api/processes/canary/start';
    const event = JSON.stringify({type: 'theirs', data: {}});
    const once = target => new Promise(done => { target.onload = target.onerror = () => done() });
    const seen = frame => { try { return frame.contentDocument?.body.innerText ?? '' } catch { return '' } };
    const submitted = (action, method, fields) => {
        const frame = document.createElement('iframe'), form = document.createElement('form');
        frame.name = 'sink' + document.forms.length;
        Object.assign(form, {action, method, enctype: 'text/plain', target: frame.name});
        for (const [name, value] of Object.entries(fields)) {
            form.append(Object.assign(document.createElement('input'), {name, value}));
        }
        document.body.append(frame, form);
        const over = once(frame);
        form.submit();
        return [frame, over];
    };
    try { %s } catch (error) { return '' }
}"""


def attempt(page: Page, name: str, at: str) -> str:
    """Let the page try one thing against the server at this address."""
    learnt = page.evaluate(_RUN % ATTEMPTS[name], at)
    assert isinstance(learnt, str)
    return learnt


def attempt_all(page: Page, at: str) -> dict[str, str]:
    """Let the page try everything; only what it learnt something from."""
    return {name: learnt for name in ATTEMPTS if (learnt := attempt(page, name, at))}
