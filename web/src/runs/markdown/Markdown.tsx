import { memo, type ReactNode, useMemo, useState } from "react";

import { BlockView } from "./BlockView";
import { type Block, blocksOf, MarkdownBlocks } from "./blocks";

interface MarkdownProps {
  readonly text: string;
  readonly growing: boolean;
}

/** Markdown as elements of ours. Nothing in it is ever taken as HTML: what looks like it is shown as it was written. */
export function Markdown({ text, growing }: MarkdownProps): ReactNode {
  const [reader] = useState(() => new MarkdownBlocks());
  const blocks = useMemo(
    () => (growing ? reader.read(text) : blocksOf(text.replace(/\r\n?/g, "\n"))),
    [reader, text, growing],
  );
  return (
    <div className={`md ${growing ? "growing" : ""}`}>
      {blocks.map((block) => (
        <Settled key={block.start} block={block} />
      ))}
    </div>
  );
}

/** A block that did not change is not drawn again. */
const Settled = memo(
  function Settled({ block }: { readonly block: Block }): ReactNode {
    return <BlockView token={block.token} />;
  },
  (before, now) => before.block.token.raw === now.block.token.raw && before.block.token.type === now.block.token.type,
);
