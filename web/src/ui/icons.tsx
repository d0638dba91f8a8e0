/** The few drawings; everything else is words. All 14 px, in the colour of the text. */

import type { ReactNode } from "react";

function Icon({ children }: { readonly children: ReactNode }): ReactNode {
  return (
    <svg
      width="14"
      height="14"
      viewBox="0 0 14 14"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.4"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
    >
      {children}
    </svg>
  );
}

export const StartIcon = (): ReactNode => (
  <Icon>
    <path d="M4.5 3v8l6-4z" />
  </Icon>
);
export const StopIcon = (): ReactNode => (
  <Icon>
    <rect x="3.5" y="3.5" width="7" height="7" rx="1" />
  </Icon>
);
export const RestartIcon = (): ReactNode => (
  <Icon>
    <path d="M11 7a4 4 0 1 1-1.2-2.9M10.2 1.8v2.6H7.6" />
  </Icon>
);
export const UpIcon = (): ReactNode => (
  <Icon>
    <path d="M3.5 8.5 7 5l3.5 3.5" />
  </Icon>
);
export const DownIcon = (): ReactNode => (
  <Icon>
    <path d="M3.5 5.5 7 9l3.5-3.5" />
  </Icon>
);
export const CloseIcon = (): ReactNode => (
  <Icon>
    <path d="m3.5 3.5 7 7m0-7-7 7" />
  </Icon>
);
export const BackIcon = (): ReactNode => (
  <Icon>
    <path d="M8.5 3.5 5 7l3.5 3.5" />
  </Icon>
);
export const SearchIcon = (): ReactNode => (
  <Icon>
    <circle cx="6" cy="6" r="3.5" />
    <path d="m9 9 2.5 2.5" />
  </Icon>
);
export const SunIcon = (): ReactNode => (
  <Icon>
    <circle cx="7" cy="7" r="2.4" />
    <path d="M7 1.2v1.2M7 11.6v1.2M1.2 7h1.2M11.6 7h1.2M2.9 2.9l.9.9M10.2 10.2l.9.9M2.9 11.1l.9-.9M10.2 3.8l.9-.9" />
  </Icon>
);
export const MoonIcon = (): ReactNode => (
  <Icon>
    <path d="M11.5 8.3A5 5 0 0 1 5.7 2.5a5 5 0 1 0 5.8 5.8z" />
  </Icon>
);
export const SystemIcon = (): ReactNode => (
  <Icon>
    <circle cx="7" cy="7" r="4.8" />
    <path d="M7 2.2v9.6A4.8 4.8 0 0 0 7 2.2z" fill="currentColor" stroke="none" />
  </Icon>
);
