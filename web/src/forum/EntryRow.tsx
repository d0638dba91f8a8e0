import type { ForumEntry, ForumState, SpeechEntry } from "@antiphon/client";
import { memo, type ReactNode, useState } from "react";

import { Link } from "../app/Link";
import { clockTime, count, dateTime, plural } from "../lib/format";
import type { ForumView } from "../lib/route";
import { Markdown } from "../runs/markdown/Markdown";
import { useDrawing } from "./choices";
import { voiceOf } from "./voices";
import { cutWords, hostNoteWords, logName, nameOf, sessionWords } from "./words";

/** Longer speeches show their beginning. */
const SHOWN_CHARACTERS = 12_000;

interface RowProps {
  readonly entry: ForumEntry;
  readonly name: string; // of the speaker
  readonly growing: boolean;
  readonly target: boolean;
  readonly view: ForumView;
  readonly onStop: () => void;
}

/** Drawn again only when the entry itself has changed. */
export const EntryRow = memo(function EntryRow(props: RowProps): ReactNode {
  const { entry } = props;
  if (entry.kind === "speech") return <SpeechRow {...props} entry={entry} />;
  const words = entry.kind === "session" ? sessionWords(entry) : hostNoteWords(entry);
  const at = entry.at === null ? "" : ` · ${dateTime(Date.parse(entry.at), Date.now())}`;
  if (entry.kind === "host")
    return <p className={`max-w-[820px] text-s ${entry.status === "stopped" ? "text-dim" : "text-bad"}`}>{words}</p>;
  return (
    <p className="log-divider" data-session={entry.session}>
      <span className="min-w-0 truncate">
        {words}
        {at}
      </span>
    </p>
  );
});

export const speakerName = (entry: ForumEntry, forum: ForumState | undefined): string =>
  entry.kind === "speech" ? nameOf(entry, forum) : "";

function SpeechRow({
  entry,
  name,
  growing,
  target,
  view,
  onStop,
}: RowProps & { readonly entry: SpeechEntry }): ReactNode {
  const { speaker, source, muted, at, clock } = entry;
  const classes = ["speech", voiceOf(source, speaker), speaker];
  if (muted) classes.push("muted");
  if (target) classes.push("target");
  const cut = cutWords(entry, growing);
  const time = at === null ? clock : clockTime(Date.parse(at));
  return (
    <article data-speech={entry.id} data-status={growing ? "growing" : entry.status} className={classes.join(" ")}>
      <time dateTime={at ?? undefined}>
        <Link
          to={{ page: "forum", ...view, at: entry.offset }}
          title={`A link to this speech${at === null ? "" : ` of ${dateTime(Date.parse(at), 0)}`}`}
        >
          {time ?? "·"}
        </Link>
      </time>
      <div className="min-w-0">
        <div className="mb-[2px] flex flex-wrap items-baseline gap-x-3 text-s">
          <span className="voice-name">{name}</span>
          {muted ? <span className="text-dim">muted</span> : null}
          <Origin entry={entry} />
          {growing ? (
            <button type="button" className="button small" onClick={onStop}>
              Stop
            </button>
          ) : null}
        </div>
        <Words entry={entry} growing={growing} />
        {cut === null ? null : <p className={`text-s ${entry.status === "failed" ? "text-bad" : "text-dim"}`}>{cut}</p>}
      </div>
    </article>
  );
}

/** The way to the log lines from which it was taken. */
function Origin({ entry: { origin } }: { readonly entry: SpeechEntry }): ReactNode {
  const log = origin === null ? null : logName(origin.channel);
  if (origin === null || log === null) return null;
  return (
    <Link
      className="foot-action num text-s"
      title={origin.upto > origin.offset ? `Lines ${count(origin.offset)} to ${count(origin.upto)}` : undefined}
      to={{ page: "logs", name: log, at: origin.offset }}
    >
      {log} line {count(origin.offset)}
    </Link>
  );
}

function Words({ entry, growing }: { readonly entry: SpeechEntry; readonly growing: boolean }): ReactNode {
  const drawing = useDrawing();
  const [whole, setWhole] = useState(false);
  const isLong = !whole && !growing && entry.text.length > SHOWN_CHARACTERS;
  const text = isLong ? entry.text.slice(0, SHOWN_CHARACTERS) : entry.text;
  const asMarkdown = drawing === "markdown" && entry.speaker !== "person" && entry.speaker !== "system";
  return (
    <>
      {asMarkdown && text !== "" ? (
        <Markdown text={text} growing={growing} />
      ) : (
        <p className={`speech-text ${growing ? "growing" : ""}`}>{text}</p>
      )}
      {isLong ? (
        <button type="button" className="foot-action text-s" onClick={() => setWhole(true)}>
          Show the rest ({plural(entry.text.length - SHOWN_CHARACTERS, "character")})
        </button>
      ) : null}
    </>
  );
}
