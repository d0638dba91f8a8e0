import "./styles/index.css";

import { StrictMode } from "react";
import { createRoot } from "react-dom/client";

import { App } from "./app/App";
import { listenToKeys } from "./app/keys";
import { listenToHistory } from "./app/navigation";
import { beginSession } from "./app/session";

const root = document.getElementById("root");
if (root === null) throw new Error("index.html has no #root");

listenToHistory();
listenToKeys();
void beginSession();
createRoot(root).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
