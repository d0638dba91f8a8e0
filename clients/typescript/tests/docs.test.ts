/** The snippets of the documentation are correct against the types. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { expect, test } from "vitest";

const here = fileURLToPath(new URL("..", import.meta.url));
const page = readFileSync(join(here, "../../docs/typescript.md"), "utf8");

/** The TypeScript snippets tell one story; the React one stands alone. */
function snippets(language: "ts" | "tsx"): string {
  return [...page.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, "gms"))].map(([, code]) => code ?? "").join("\n");
}

test("every snippet compiles", { timeout: 60_000 }, () => {
  const files = new Map([
    [join(here, "docs-snippets.ts"), `${snippets("ts")}\nexport {};\n`],
    [join(here, "docs-snippets.tsx"), snippets("tsx")],
  ]);
  const options: ts.CompilerOptions = {
    target: ts.ScriptTarget.ES2022,
    lib: ["lib.es2023.d.ts", "lib.dom.d.ts", "lib.dom.iterable.d.ts"],
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    jsx: ts.JsxEmit.ReactJSX,
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    types: [],
    paths: {
      "@antiphon/client": [join(here, "src/index.ts")],
      "@antiphon/client/agui": [join(here, "agui/index.ts")],
      "@antiphon/client/react": [join(here, "react/index.ts")],
    },
  };
  const host = ts.createCompilerHost(options);
  const getSourceFile = host.getSourceFile.bind(host);
  host.fileExists = (name) => files.has(name) || ts.sys.fileExists(name);
  host.getSourceFile = (name, target, ...rest) => {
    const code = files.get(name);
    return code === undefined ? getSourceFile(name, target, ...rest) : ts.createSourceFile(name, code, target);
  };
  const found = ts.getPreEmitDiagnostics(ts.createProgram([...files.keys()], options, host));
  expect(found.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, "\n"))).toEqual([]);
  expect(files.get(join(here, "docs-snippets.tsx"))).toContain("useChannelState");
});

test("every error code of the client is documented", () => {
  const source = readFileSync(join(here, "src/errors.ts"), "utf8");
  const codes = [...source.matchAll(/^ {2}\| "(\w+)"/gm)].map(([, code]) => code ?? "");
  expect(codes.length).toBeGreaterThan(5);
  for (const code of codes) expect(page).toContain(`| \`${code}\` |`);
});
