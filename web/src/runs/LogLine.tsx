import type { LogItem, LogLevel } from "@antiphon/client";
import type { ReactNode } from "react";

const TONES: Readonly<Record<LogLevel, string>> = {
  debug: "text-faint",
  info: "text-dim",
  warning: "text-wait",
  error: "text-bad",
  critical: "text-bad",
};

/** A line of the log: level, who, what. */
export function LogLine({ item }: { readonly item: LogItem }): ReactNode {
  return (
    <p className="font-mono text-s whitespace-pre-wrap text-dim [overflow-wrap:anywhere]">
      <span className={TONES[item.level]}>{item.level.toUpperCase()}</span>
      {item.logger === null ? "" : `  ${item.logger}`}
      {"  "}
      {item.text}
    </p>
  );
}
