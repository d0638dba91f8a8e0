import { type ReactNode, useEffect, useState } from "react";

import { ConnectBar } from "./ConnectBar";
import { Editor } from "./Editor";
import { FrameList } from "./FrameList";
import { PlaygroundSocket } from "./socket";

/** Talk to any socket of this server by hand. */
export default function PlaygroundPage(): ReactNode {
  const [socket] = useState(() => new PlaygroundSocket());
  useEffect(() => () => socket.dispose(), [socket]);
  return (
    <div className="flex h-full min-h-0 flex-col">
      <div className="flex flex-col gap-3 border-b border-edge p-4 wide:px-6 wide:pt-5">
        <h1 className="text-xl leading-[1.25] font-strong tracking-[-0.02em]">Playground</h1>
        <ConnectBar socket={socket} />
      </div>
      <div className="flex min-h-0 grow flex-col broad:flex-row">
        <Editor socket={socket} />
        <FrameList socket={socket} />
      </div>
    </div>
  );
}
