import type { ComponentProps, ReactNode } from "react";

import type { Route } from "../lib/route";
import { href, isPlainClick, navigate } from "./navigation";

interface LinkProps extends Omit<ComponentProps<"a">, "href"> {
  readonly to: Route;
}

/** A real link: it can be opened in a new tab, copied, and followed without leaving the page. */
export function Link({ to, onClick, ...rest }: LinkProps): ReactNode {
  return (
    <a
      {...rest}
      href={href(to)}
      onClick={(event) => {
        onClick?.(event);
        if (event.defaultPrevented || !isPlainClick(event)) return;
        event.preventDefault();
        navigate(to);
      }}
    />
  );
}
