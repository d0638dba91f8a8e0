/** What a person writes, and what of it is on its way: kept while the page is open, wherever one looks. */

import type { Live } from "@antiphon/client";
import { create } from "zustand";

/** A speech between the key and the forum. */
export interface Sent {
  readonly speechId: string;
  readonly text: string;
  readonly phase: "sending" | "refused";
  readonly problem: string | null; // why it was refused
}

interface Posting {
  readonly drafts: Readonly<Record<string, string>>; // by forum
  readonly sent: Readonly<Record<string, readonly Sent[]>>;
}

const usePosting = create<Posting>(() => ({ drafts: {}, sent: {} }));
const NONE: readonly Sent[] = [];

/** For those who do not draw. */
export const postingState = usePosting.getState;

export const useDraft = (forum: string): string => usePosting(({ drafts }) => drafts[forum] ?? "");
export const useSent = (forum: string): readonly Sent[] => usePosting(({ sent }) => sent[forum] ?? NONE);

export function setDraft(forum: string, text: string): void {
  usePosting.setState(({ drafts }) => ({ drafts: { ...drafts, [forum]: text } }));
}

const change = (forum: string, how: (sent: readonly Sent[]) => readonly Sent[]): void =>
  usePosting.setState(({ sent }) => ({ sent: { ...sent, [forum]: how(sent[forum] ?? NONE) } }));

/** Says what was written; what the server has against it stands at the end of the conversation. */
export function post(live: Live, forum: string, text: string): void {
  const sent: Sent = { speechId: newSpeechId(), text, phase: "sending", problem: null };
  setDraft(forum, "");
  change(forum, (all) => [...all, sent]);
  void send(live, forum, sent);
}

/** The same again, under the same id: if it arrived after all, it is said once. */
export function postAgain(live: Live, forum: string, sent: Sent): void {
  const again: Sent = { ...sent, phase: "sending", problem: null };
  change(forum, (all) => all.map((one) => (one.speechId === sent.speechId ? again : one)));
  void send(live, forum, again);
}

/** Takes a refused speech back into the field, before what has been written there since. */
export function takeBack(forum: string, sent: Sent): void {
  const draft = usePosting.getState().drafts[forum] ?? "";
  setDraft(forum, draft === "" ? sent.text : `${sent.text}\n${draft}`);
  change(forum, (all) => all.filter(({ speechId }) => speechId !== sent.speechId));
}

async function send(live: Live, forum: string, { speechId, text }: Sent): Promise<void> {
  try {
    await live.forum.post(text, { name: forum, speechId });
    change(forum, (all) => all.filter((one) => one.speechId !== speechId)); // its event has been sent before the answer
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    change(forum, (all) => all.map((one) => (one.speechId === speechId ? { ...one, phase: "refused", problem } : one)));
  }
}

function newSpeechId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
