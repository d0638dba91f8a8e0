import type { MarkedToken, Token, Tokens } from "marked";
import type { ReactNode } from "react";

import { Inline } from "./Inline";

/** One block: a paragraph, a list, code, a table. */
export function BlockView({ token: given }: { readonly token: Token }): ReactNode {
  const token = given as MarkedToken;
  switch (token.type) {
    case "paragraph":
      return (
        <p>
          <Inline tokens={token.tokens} />
        </p>
      );
    case "text":
      return <Inline tokens={token.tokens ?? [token]} />;
    case "heading":
      return <Heading token={token} />;
    case "code":
      return (
        <pre tabIndex={0}>
          <code>{token.text}</code>
        </pre>
      );
    case "blockquote":
      return (
        <blockquote>
          <Blocks tokens={token.tokens} />
        </blockquote>
      );
    case "list":
      return <List token={token} />;
    case "table":
      return <Table token={token} />;
    case "hr":
      return <hr />;
    case "space":
    case "def":
      return null;
    case "html":
      return <p>{token.text}</p>;
    default:
      return <Inline tokens={[token]} />;
  }
}

function Blocks({ tokens }: { readonly tokens: readonly Token[] }): ReactNode {
  return tokens.map((token, i) => <BlockView key={i} token={token} />);
}

/** Headings of an answer lie below those of the page. */
function Heading({ token }: { readonly token: Tokens.Heading }): ReactNode {
  const inner = <Inline tokens={token.tokens} />;
  if (token.depth === 1) return <h3 className="text-l">{inner}</h3>;
  return token.depth === 2 ? <h4>{inner}</h4> : <h5>{inner}</h5>;
}

function List({ token }: { readonly token: Tokens.List }): ReactNode {
  const items = token.items.map((item, i) => (
    <li key={i} className={item.task ? "task" : undefined}>
      {item.task ? <input type="checkbox" checked={item.checked === true} readOnly disabled /> : null}
      <Blocks tokens={item.tokens.filter((one) => one.type !== "checkbox")} />
    </li>
  ));
  if (!token.ordered) return <ul>{items}</ul>;
  return <ol start={token.start === "" ? 1 : token.start}>{items}</ol>;
}

function Table({ token }: { readonly token: Tokens.Table }): ReactNode {
  const cell = (one: Tokens.TableCell, i: number, Tag: "th" | "td"): ReactNode => (
    <Tag key={i} className={one.align === "right" ? "num end" : undefined}>
      <Inline tokens={one.tokens} />
    </Tag>
  );
  return (
    <div className="wide-box" tabIndex={0} role="group" aria-label="Table">
      <table>
        <thead>
          <tr>{token.header.map((one, i) => cell(one, i, "th"))}</tr>
        </thead>
        <tbody>
          {token.rows.map((row, i) => (
            <tr key={i}>{row.map((one, k) => cell(one, k, "td"))}</tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
