import type { MarkedToken, Token } from "marked";
import type { ReactNode } from "react";

import { plainWords, safeAddress } from "./safety";

/** What stands inside a line. */
export function Inline({ tokens }: { readonly tokens: readonly Token[] }): ReactNode {
  return tokens.map((token, i) => <Piece key={i} token={token} />);
}

function Piece({ token: given }: { readonly token: Token }): ReactNode {
  const token = given as MarkedToken;
  switch (token.type) {
    case "text":
      return token.tokens === undefined ? plainWords(token.text) : <Inline tokens={token.tokens} />;
    case "escape":
      return token.text;
    case "strong":
      return (
        <strong>
          <Inline tokens={token.tokens} />
        </strong>
      );
    case "em":
      return (
        <em>
          <Inline tokens={token.tokens} />
        </em>
      );
    case "del":
      return (
        <del>
          <Inline tokens={token.tokens} />
        </del>
      );
    case "codespan":
      return <code>{token.text}</code>;
    case "br":
      return <br />;
    case "link":
      return (
        <Away address={token.href}>
          <Inline tokens={token.tokens} />
        </Away>
      );
    case "image":
      return <Away address={token.href}>{token.text === "" ? token.href : token.text}</Away>;
    default:
      return token.raw;
  }
}

/** A way out of the page, if it leads to the web or to a person. Pictures are not loaded: they are such ways, too. */
function Away({ address, children }: { readonly address: string; readonly children: ReactNode }): ReactNode {
  const safe = safeAddress(address);
  if (safe === null) return <span title={address}>{children}</span>;
  return (
    <a href={safe} target="_blank" rel="noopener noreferrer">
      {children}
    </a>
  );
}
