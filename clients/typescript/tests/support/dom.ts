/** A document beside Node's own network: whole environments of pages bring a URL and signals that Node's `fetch` does not know. */

import { JSDOM } from "jsdom";

const { window } = new JSDOM("", { url: "http://localhost/" });

Object.assign(globalThis, { window, document: window.document, IS_REACT_ACT_ENVIRONMENT: true });
if (!("navigator" in globalThis)) Object.assign(globalThis, { navigator: window.navigator }); // Node 20 has none
