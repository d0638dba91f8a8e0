import type { TimelineItem } from "@antiphon/client";
import { memo, type ReactNode } from "react";

import { QuestionCard } from "../inbox/QuestionCard";
import { ChildLine } from "./ChildLine";
import { CustomLine } from "./CustomLine";
import { LogLine } from "./LogLine";
import { MessageView } from "./MessageView";
import { PastQuestion } from "./PastQuestion";
import { Row } from "./Row";
import { ToolCard } from "./ToolCard";

interface RowProps {
  readonly item: TimelineItem;
  readonly who: string;
  readonly keys: boolean; // a, e and r act on this question
  readonly past: boolean;
}

/** Drawn again only when the item itself has changed. */
export const TimelineRow = memo(function TimelineRow(props: RowProps): ReactNode {
  const { item } = props;
  return (
    <Row at={item.at} kind={item.kind}>
      <Content {...props} />
    </Row>
  );
});

function Content({ item, who, keys, past }: RowProps): ReactNode {
  switch (item.kind) {
    case "message":
      return <MessageView item={item} who={who} />;
    case "tool":
      return <ToolCard item={item} />;
    case "log":
      return <LogLine item={item} />;
    case "question":
      return past && item.question.status === "open" ? (
        <PastQuestion question={item.question} />
      ) : (
        <QuestionCard question={item.question} keys={keys} />
      );
    case "child":
      return <ChildLine item={item} />;
    case "custom":
      return <CustomLine item={item} />;
    case "gap":
      return (
        <p className="text-s text-dim">
          Events {item.from} to {item.to} are not kept any more. What follows is complete.
        </p>
      );
  }
}
