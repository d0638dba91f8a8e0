import { type CSSProperties, type PointerEvent, type ReactNode, useRef } from "react";

import { count } from "../lib/format";
import { useReader } from "./pane";
import { offsetAt, thumb } from "./scrollbar";

interface BarProps {
  readonly top: number; // offset of the first line in sight
  readonly visible: number; // lines in sight
  readonly onSeek: (offset: number) => void; // at or beyond the head = follow the end
}

/** Stands for the whole log, loaded or not. Dragging goes anywhere in it. */
export function ScrollBar({ top, visible, onSeek }: BarProps): ReactNode {
  const oldest = useReader((state) => state.oldest);
  const head = useReader((state) => state.head);
  const track = useRef<HTMLDivElement>(null);
  const grip = useRef<number | null>(null); // where in the thumb it was taken, as a part of the track
  const asked = useRef(0);
  const span = { oldest, head, visible };
  const place = thumb(span, top);
  if (place === null) return null;

  const part = (event: PointerEvent): number => {
    const box = track.current?.getBoundingClientRect();
    return box === undefined ? 0 : (event.clientY - box.top) / box.height;
  };
  const drag = (event: PointerEvent): void => {
    if (grip.current === null) return;
    const offset = offsetAt(span, part(event) - grip.current);
    if (offset === asked.current) return;
    asked.current = offset;
    onSeek(offset);
  };
  const onPointerDown = (event: PointerEvent<HTMLDivElement>): void => {
    const at = part(event);
    const inside = at >= place.start && at <= place.start + place.size;
    grip.current = inside ? at - place.start : place.size / 2;
    asked.current = 0;
    event.currentTarget.setPointerCapture(event.pointerId);
    event.currentTarget.dataset["dragging"] = "";
    if (!inside) drag(event);
  };
  const onPointerUp = (event: PointerEvent<HTMLDivElement>): void => {
    grip.current = null;
    delete event.currentTarget.dataset["dragging"];
  };
  const style: CSSProperties = { top: `${place.start * 100}%`, height: `${place.size * 100}%` };
  return (
    <div
      ref={track}
      className="log-bar"
      role="scrollbar"
      aria-label="Place in the whole log"
      aria-orientation="vertical"
      aria-valuemin={oldest}
      aria-valuemax={head}
      aria-valuenow={top}
      aria-valuetext={`line ${count(top)} of ${count(head)}`}
      onPointerDown={onPointerDown}
      onPointerMove={drag}
      onPointerUp={onPointerUp}
      onPointerCancel={onPointerUp}
    >
      <i style={style} />
    </div>
  );
}
