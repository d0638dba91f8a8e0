import { connect } from "@antiphon/client";
import { LiveProvider } from "@antiphon/client/react";
import { createRoot } from "react-dom/client";
import { App } from "./App";

const root = document.getElementById("root");
if (root !== null) createRoot(root).render(<LiveProvider live={connect()}><App /></LiveProvider>);
