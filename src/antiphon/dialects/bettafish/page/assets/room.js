// The room as any client of the protocol sees it: Socket.IO by hand over a WebSocket, histories over HTTP.
const MAX_SHOWN = 5000; // lines kept in the page
const $ = (id) => document.getElementById(id);
const lines = { insight: [], media: [], query: [], forum: [] };
let shown = "insight";
let wait = 500;

const url = (path) => new URL(path, document.baseURI);
const json = async (path) => (await fetch(url(path), { cache: "no-cache" })).json();

function draw() {
  const place = $("console");
  const follows = place.scrollTop + place.clientHeight >= place.scrollHeight - 20;
  place.textContent = lines[shown].join("\n");
  if (follows) place.scrollTop = place.scrollHeight;
}

let drawing = false;
function drawSoon() {
  if (drawing) return;
  drawing = true;
  requestAnimationFrame(() => { drawing = false; draw(); });
}

function add(app, more) {
  if (!lines[app]) return;
  lines[app].push(...more);
  lines[app].splice(0, Math.max(0, lines[app].length - MAX_SHOWN));
  if (app === shown) drawSoon();
}

function showStatuses(statuses) {
  $("apps").replaceChildren(...Object.entries(statuses).map(([app, { status }]) => {
    const button = document.createElement("button");
    button.textContent = `${app}: ${status}`;
    button.setAttribute("aria-pressed", String(app === shown));
    button.onclick = () => { shown = app; showStatuses(statuses); draw(); };
    return button;
  }));
}

function speak(message) {
  const item = document.createElement("li");
  const who = document.createElement("b");
  who.textContent = `${message.timestamp} ${message.sender}`;
  item.append(who, message.content);
  $("chat").append(item);
  item.scrollIntoView({ block: "nearest" });
}

// What was pushed since the connection began is the end of a history, or comes after it: how much of it is new.
function unseen(history, pushed) {
  let same = Math.min(history.length, pushed.length);
  const ends = (count) => pushed.slice(0, count).every((text, i) => text === history[history.length - count + i]);
  while (!ends(same)) same -= 1;
  return pushed.slice(same);
}

async function histories(early) {
  for (const app of Object.keys(lines)) {
    const found = (await json(`api/output/${app}?tail=2000`)).output ?? [];
    const pushed = early.filter(([event, value]) => event === "console_output" && value.app === app);
    const texts = pushed.map(([, { line }]) => (app === "forum" ? line.replace(/^\[[^\]]*\] /, "") : line));
    lines[app] = [];
    add(app, [...found, ...unseen(found, texts)]);
    for (const each of pushed) early.splice(early.indexOf(each), 1);
  }
  $("chat").replaceChildren();
  for (const message of (await json("api/forum/log")).parsed_messages ?? []) speak(message);
  drawSoon();
}

const heard = {
  status_update: showStatuses,
  console_output: ({ app, line }) => add(app, [line]),
  forum_message: speak,
};

function connect() {
  const address = url("socket.io/?EIO=4&transport=websocket");
  address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
  const socket = new WebSocket(address);
  let early = []; // what is said while histories are on their way is in them, or comes after them
  socket.onmessage = async ({ data }) => {
    if (data === "2") return socket.send("3");
    if (data[0] === "0") return socket.send("40");
    if (data.startsWith("40")) {
      wait = 500;
      $("link").textContent = "connected";
      socket.send('42["request_status"]');
      await histories(early).catch(() => undefined);
      const rest = early.filter(([event]) => event === "console_output");
      early = null;
      for (const [event, value] of rest) heard[event](value);
      return undefined;
    }
    if (!data.startsWith("42")) return undefined;
    const [event, value] = JSON.parse(data.slice(2));
    if (early && event !== "status_update") return early.push([event, value]);
    return heard[event]?.(value);
  };
  socket.onclose = () => {
    $("link").textContent = "not connected";
    setTimeout(connect, wait);
    wait = Math.min(wait * 2, 10000);
  };
}

connect();
