/** Names that nobody else uses. */

/** Crockford's: no letter that reads as a digit, and it sorts. */
const DIGITS = "0123456789abcdefghjkmnpqrstvwxyz";
const TIME_CHARS = 9;
const CHANCE_CHARS = 11;

/** The id of a new conversation. */
export function newThreadId(nowMs: number = Date.now()): string {
  return newId("thread", nowMs);
}

/** `run_` and 20 characters, time first, as the server makes them: ids sort in the order in which they were made. */
export function newRunId(nowMs: number): string {
  return newId("run", nowMs);
}

function newId(kind: string, nowMs: number): string {
  let time = "";
  for (let rest = Math.floor(nowMs); time.length < TIME_CHARS; rest = Math.floor(rest / 32)) {
    time = `${DIGITS.charAt(rest % 32)}${time}`;
  }
  const chance = Array.from(crypto.getRandomValues(new Uint8Array(CHANCE_CHARS)), (byte) => DIGITS.charAt(byte % 32));
  return `${kind}_${time}${chance.join("")}`;
}

/** 32 random characters. `crypto.randomUUID` exists only in secure contexts; a page of the local network is none. */
export function randomKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
