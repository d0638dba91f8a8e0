import { type ReactNode, useEffect, useState } from "react";

import { navigate, useRoute } from "../app/navigation";
import { Choice } from "../ui/Choice";
import { ConnectBar } from "./ConnectBar";
import { Editor } from "./Editor";
import { FrameList } from "./FrameList";
import { PlaygroundSocket } from "./socket";
import { type Preset, PRESETS, presetOf } from "./templates";

/** Talk to any socket of this server by hand. */
export default function PlaygroundPage(): ReactNode {
  const protocol = useRoute((route) => (route.page === "playground" ? route.protocol : "native"));
  return <Playground key={protocol} preset={presetOf(protocol)} />;
}

function Playground({ preset }: { readonly preset: Preset }): ReactNode {
  const [socket] = useState(() => new PlaygroundSocket());
  useEffect(() => () => socket.dispose(), [socket]);
  return (
    <div className="flex h-full min-h-0 flex-col">
      <div className="flex flex-col gap-3 border-b border-edge p-4 wide:px-6 wide:pt-5">
        <div className="flex flex-wrap items-center gap-x-4 gap-y-2">
          <h1 className="text-xl leading-[1.25] font-strong tracking-[-0.02em]">Playground</h1>
          <Choice
            label="Protocol"
            value={preset.protocol}
            options={PRESETS.map(({ protocol, label }) => [protocol, label])}
            onChange={(protocol) => navigate({ page: "playground", protocol }, { replace: true })}
          />
        </div>
        <ConnectBar socket={socket} preset={preset.path} />
      </div>
      <div className="flex min-h-0 grow flex-col broad:flex-row">
        <Editor socket={socket} templates={preset.templates} />
        <FrameList socket={socket} />
      </div>
    </div>
  );
}
