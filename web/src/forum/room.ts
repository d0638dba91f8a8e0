/** What the parts of the page share: which forum it is, and what is shown of it. */

import type { UsedForum } from "@antiphon/client/react";
import { createContext, useContext } from "react";

import { navigate } from "../app/navigation";
import type { ForumView } from "../lib/route";

export interface Room extends UsedForum {
  readonly view: ForumView;
  readonly isLive: boolean; // false = a replayed file: nobody talks there
}

export const RoomContext = createContext<Room | null>(null);

export function useRoom(): Room {
  const room = useContext(RoomContext);
  if (room === null) throw new Error("useRoom outside of a forum");
  return room;
}

/** The filter lives in the address: it survives a reload and can be sent to somebody. */
export function showSpeakers(view: ForumView, speakers: readonly string[]): void {
  navigate({ page: "forum", ...view, speakers, at: null }, { replace: true });
}
