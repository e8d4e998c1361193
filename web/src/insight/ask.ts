/** Questions about what was learned: put up as a job, answered by the trainer or by `rl-teacher worker`. */

import { useEffect, useState } from "preact/hooks";

import { api } from "../api";
import { signedOut } from "../app";
import type { InsightKind, Insights } from "./types";

const POLL_MS = 250;
const SLOW_POLL_MS = 2000;
const SOON_MS = 8000;

export interface Question<K extends InsightKind> {
  kind: K;
  query_id?: string;
  run?: string;
}

/** Ask, and wait for the answer as long as `wanted` says so. `waiting` hears whom we wait for. Throws with a line. */
export async function ask<K extends InsightKind>(
  experiment: string,
  question: Question<K>,
  wanted: () => boolean,
  waiting: (line: string) => void = () => undefined,
): Promise<Insights[K] | null> {
  const { job_id } = await api.ask(experiment, question);
  const since = performance.now();
  while (wanted()) {
    const told = await api.insight(job_id);
    if (told.state === "done") return (told[question.kind] ?? null) as Insights[K] | null;
    if (told.state === "failed") throw new Error(told.message);
    const late = performance.now() - since > SOON_MS;
    waiting(told.message || (late ? "The trainer has not answered yet." : ""));
    await new Promise((resume) => setTimeout(resume, told.message || late ? SLOW_POLL_MS : POLL_MS));
  }
  return null;
}

export interface Asked<T> {
  value: T | null;
  busy: boolean;
  /** One line: whom we wait for, or what went wrong. */
  line: string;
  again: () => void;
}

/** The answer to a question, asked when `on` becomes true and whenever `again` is called. */
export function useInsight<K extends InsightKind>(
  experiment: string,
  question: Question<K>,
  on: boolean,
): Asked<Insights[K]> {
  const [turn, setTurn] = useState(0);
  const [value, setValue] = useState<Insights[K] | null>(null);
  const [busy, setBusy] = useState(false);
  const [line, setLine] = useState("");
  const key = `${experiment}/${question.kind}/${question.query_id ?? ""}/${question.run ?? ""}`;
  useEffect(() => {
    if (!on) return undefined;
    let wanted = true;
    setBusy(true);
    setLine("");
    ask(experiment, question, () => wanted, (told) => wanted && setLine(told))
      .then((found) => {
        if (!wanted) return;
        setValue(found);
        setLine("");
      })
      .catch((error: Error) => {
        if (wanted && !signedOut(error)) setLine(error.message);
      })
      .finally(() => wanted && setBusy(false));
    return () => {
      wanted = false;
    };
  }, [key, on, turn]);
  return { value, busy, line, again: () => setTurn((n) => n + 1) };
}
