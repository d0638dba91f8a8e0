import { useEffect, useRef, useState } from "react";

const RECENT_MS = 3000;

/** True for a while after the value has changed, and after it has come into being (`isNew`, when first drawn). */
export function useRecent(value: unknown, isNew: boolean): boolean {
  const before = useRef(value);
  const [recent, setRecent] = useState(isNew);
  useEffect(() => {
    if (before.current === value) return;
    before.current = value;
    setRecent(true);
  }, [value]);
  useEffect(() => {
    if (!recent) return;
    const timer = setTimeout(() => setRecent(false), RECENT_MS);
    return () => clearTimeout(timer);
  }, [recent, value]);
  return recent;
}
