/** Which sockets the playground may open: any path of this server, or a whole address on the same host. */

export type Address = { readonly url: URL; readonly problem: null } | { readonly url: null; readonly problem: string };

export function socketAddress(text: string, page: URL, base: string): Address {
  const typed = text.trim();
  if (typed === "") return bad("Give a path, e.g. /live.");
  let url: URL;
  try {
    url = /^[a-z]+:\/\//i.test(typed) ? new URL(typed) : new URL(typed.replace(/^\//, ""), base);
  } catch {
    return bad("This is not an address.");
  }
  if (url.protocol === "http:" || url.protocol === "https:") url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  if (url.protocol !== "ws:" && url.protocol !== "wss:") return bad("Only ws:// and wss:// can be opened.");
  if (url.hostname !== page.hostname) return bad(`Only ${page.hostname} can be reached from here.`);
  url.hash = "";
  return { url, problem: null };
}

function bad(problem: string): Address {
  return { url: null, problem };
}
