/** Names that nobody else uses. */

const DIGITS = "0123456789abcdefghijklmnopqrstuv";

/** `run_` and 20 characters, time first: ids sort in the order in which they were made. */
export function newRunId(nowMs: number): string {
  let time = "";
  for (let rest = Math.floor(nowMs), place = 0; place < 10; place++, rest = Math.floor(rest / 32)) {
    time = `${DIGITS.charAt(rest % 32)}${time}`;
  }
  const random = Array.from(crypto.getRandomValues(new Uint8Array(10)), (byte) => DIGITS.charAt(byte % 32));
  return `run_${time}${random.join("")}`;
}

/** 32 random characters. `crypto.randomUUID` exists only in secure contexts; a page of the local network is none. */
export function randomKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
