/** Numbers, sizes and times as people read them. Thin spaces group digits; units follow a space. */

const GROUPS = new Intl.NumberFormat("en-US");

/** `1 000 000`, with narrow no-break spaces. */
export function count(n: number): string {
  return GROUPS.format(n).replaceAll(",", "\u202f");
}

/** `1 line`, `2 lines`, `1 000 lines`. */
export function plural(n: number, one: string, many = `${one}s`): string {
  return `${count(n)} ${n === 1 ? one : many}`;
}

/** Binary sizes with the short names everybody uses: `640 B`, `12.4 KB`, `48 MB`. */
export function bytes(n: number): string {
  if (n < 1024) return `${n} B`;
  const units = ["KB", "MB", "GB", "TB"];
  let value = n / 1024;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${value.toFixed(value < 100 && unit !== 0 ? 1 : 0).replace(/\.0$/, "")} ${units[unit] ?? ""}`;
}

export function percent(n: number): string {
  return `${n.toFixed(n < 10 ? 1 : 0).replace(/\.0$/, "")} %`;
}

/** `4 ms`, `12 s`, `2 m 41 s`, `3 h 05 m`, `2 d 4 h`. */
export function duration(ms: number): string {
  if (ms < 1000) return `${Math.max(0, Math.round(ms))} ms`;
  const s = Math.floor(ms / 1000);
  if (s < 60) return `${s} s`;
  const two = (n: number): string => String(n).padStart(2, "0");
  if (s < 3600) return `${Math.floor(s / 60)} m ${two(s % 60)} s`;
  if (s < 86_400) return `${Math.floor(s / 3600)} h ${two(Math.floor(s / 60) % 60)} m`;
  return `${Math.floor(s / 86_400)} d ${Math.floor(s / 3600) % 24} h`;
}

/** Local time of day, `14:02:11` or `14:02:11.480`. */
export function clockTime(ms: number, withMs = false): string {
  const date = new Date(ms);
  const two = (n: number): string => String(n).padStart(2, "0");
  const time = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
  return withMs ? `${time}.${String(date.getMilliseconds()).padStart(3, "0")}` : time;
}

/** Local date and time, the date left out when it is today's. */
export function dateTime(ms: number, now: number): string {
  const date = new Date(ms);
  if (date.toDateString() === new Date(now).toDateString()) return clockTime(ms);
  const two = (n: number): string => String(n).padStart(2, "0");
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${clockTime(ms)}`;
}

/** Time since a start: `0:04.120`, `12:31.004`, `1:02:05.770`. */
export function elapsed(ms: number): string {
  const value = Math.max(0, ms);
  const two = (n: number): string => String(n).padStart(2, "0");
  const s = Math.floor(value / 1000);
  const tail = `${two(s % 60)}.${String(Math.floor(value % 1000)).padStart(3, "0")}`;
  const minutes = Math.floor(s / 60);
  return minutes < 60 ? `${minutes}:${tail}` : `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${tail}`;
}

const ENCODER = new TextEncoder();

/** Length on the wire. */
export function utf8Length(text: string): number {
  return ENCODER.encode(text).length;
}
