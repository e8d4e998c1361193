/** Numbers and times for people. */

import type { Experiment, LabelRow, Run, Verdict } from "./types";

const WORDS: Record<Verdict, string> = {
  LEFT: "Left is better",
  RIGHT: "Right is better",
  TIE: "Equally good",
  ABSTAIN: "Can't tell",
  WITHDRAWN: "Taken back",
};

/** What was said, in words. */
export function verdictText({ verdict, strength }: Pick<LabelRow, "verdict" | "strength">): string {
  if (verdict !== "LEFT" && verdict !== "RIGHT") return WORDS[verdict];
  const side = verdict === "LEFT" ? "Left" : "Right";
  if (strength === "MUCH") return `${side} is much better`;
  return strength === "SLIGHT" ? `${side} is slightly better` : WORDS[verdict];
}

/** The same in as few words as the scale has. */
export function shortText({ verdict, strength }: Pick<LabelRow, "verdict" | "strength">): string {
  if (verdict === "TIE") return "even";
  if (verdict !== "LEFT" && verdict !== "RIGHT") return WORDS[verdict].toLowerCase();
  return verdict.toLowerCase() + { MUCH: ", much", PLAIN: "", SLIGHT: ", slightly" }[strength];
}

/** What a person just did, in a sentence. */
export function deedText({ verdict, strength }: Pick<LabelRow, "verdict" | "strength">): string {
  const said = verdictText({ verdict, strength });
  return verdict === "WITHDRAWN" ? "Taken back; here it is again." : `You said: ${said.charAt(0).toLowerCase()}${said.slice(1)}.`;
}

/** 12,345 */
export function whole(value: number): string {
  return Math.round(value).toLocaleString("en-US");
}

/** "85 %", "–" for nothing. */
export function share(value: number | null): string {
  return value === null ? "–" : `${Math.round(100 * value)} %`;
}

/** "just now", "5 min ago", "3 h ago", then the date. */
export function ago(then: number, now: number): string {
  const seconds = Math.max(0, now - then);
  if (seconds < 45) return "just now";
  if (seconds < 3570) return `${Math.max(1, Math.round(seconds / 60))} min ago`;
  if (seconds < 86_400) return `${Math.max(1, Math.round(seconds / 3600))} h ago`;
  return new Date(then * 1000).toLocaleDateString(undefined, { year: "numeric", month: "short", day: "numeric" });
}

/** "12 of 175 answers"; of what is wanted, "can't tell" is nothing. */
export function answersText({ counts, wanted }: Experiment): string {
  if (wanted) return `${whole(counts.decided)} of ${whole(wanted)} answers`;
  return counts.answered === 1 ? "1 answer" : `${whole(counts.answered)} answers`;
}

/** Whether all answers that are wanted have been given. */
export function enough({ counts, wanted }: Experiment): boolean {
  return wanted !== null && counts.decided >= wanted;
}

/** One line on what the trainer is doing. */
export function trainerText(run: Run | null): string {
  const said = trainerSays(run);
  return said.charAt(0).toUpperCase() + said.slice(1);
}

function trainerSays(run: Run | null): string {
  if (!run) return "No trainer has started on this experiment yet.";
  const busy = run.status === "training" || run.status === "waiting";
  if (busy && !run.alive) return "The trainer is not running. Start the same command again; every answer is kept.";
  return run.message || { training: "Training.", waiting: "Waiting.", stopped: "Stopped.", finished: "Finished.", failed: "Failed." }[run.status];
}

/** State of an experiment in one word, with a style. */
export function stateOf({ status, run }: Pick<Experiment, "status" | "run">): { word: string; tone: "good" | "idle" | "bad" } {
  if (status === "finished") return { word: "finished", tone: "idle" };
  if (!run) return { word: "no trainer yet", tone: "idle" };
  if (run.status === "failed") return { word: "failed", tone: "bad" };
  if (run.status === "training" || run.status === "waiting") {
    return run.alive ? { word: run.status, tone: "good" } : { word: "not running", tone: "bad" };
  }
  return { word: run.status, tone: "idle" };
}
