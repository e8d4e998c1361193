/** Repeated and shared things of screens. */

import { useEffect, useState } from "preact/hooks";

import { ApiError } from "./api";
import { signedOut } from "./app";

/** Run `task` now and every `ms` while the page can be seen, never two at a time. */
export function usePoll(task: () => Promise<void>, ms: number, key: string): void {
  useEffect(() => {
    let stopped = false;
    let timer = 0;
    const turn = async () => {
      if (document.visibilityState === "visible") await task();
      if (!stopped) timer = window.setTimeout(turn, ms);
    };
    void turn();
    return () => {
      stopped = true;
      window.clearTimeout(timer);
    };
  }, [ms, key]);
}

export interface Fetched<T> {
  value: T | null;
  problem: string;
  /** The server says that there is no such thing, and there never was while this page looked. */
  missing: boolean;
}

/** A value fetched again and again; the last good one stays when a fetch fails. */
export function useFetched<T>(get: () => Promise<T>, ms: number, key: string): Fetched<T> {
  const [value, setValue] = useState<T | null>(null);
  const [problem, setProblem] = useState("");
  const [missing, setMissing] = useState(false);
  usePoll(
    async () => {
      try {
        setValue(await get());
        setProblem("");
        setMissing(false);
      } catch (error) {
        if (!signedOut(error)) setProblem((error as Error).message);
        setMissing(error instanceof ApiError && error.status === 404);
      }
    },
    ms,
    key,
  );
  return { value, problem, missing: missing && value === null };
}
