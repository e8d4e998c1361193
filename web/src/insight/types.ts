/** What the server tells of r̂ and of what was learned, as types; the rest of the contract is in ../types. */

import type { ClipRef, LabelRow, Replay } from "../types";

/** r̂ of every step of a clip, and their sum. */
export interface Strip {
  rewards: number[];
  sum: number;
}

export interface QueryRewards {
  left: Strip;
  right: Strip;
  /** P[left is better] after r̂. */
  p_left: number;
}

export interface RatedClip extends Strip {
  step: number;
  clip: ClipRef;
}

export interface BestWorst {
  n: number;
  answered: boolean;
  best: RatedClip[];
  worst: RatedClip[];
}

export interface Played {
  replay: Replay;
  strip: Strip | null;
}

/** `p` is P[this answer] after r̂. */
export interface Disagreement extends LabelRow {
  p: number;
}

export interface Forecast {
  /** answers, accuracy */
  measured: [number, number][];
  /** answers, accuracy, 10th and 90th percentile */
  curve: [number, number, number, number][];
  formula: { a: number; b: number; c: number };
  now: number;
  more: { answers: number; gain: number; low: number; high: number }[];
}

/** What can be asked about what was learned; the answer to a kind stands in the field of its name. */
export interface Insights {
  rewards: QueryRewards;
  best_worst: BestWorst;
  agent_now: Played;
  disagreements: { n: number; answers: Disagreement[] };
  forecast: Forecast;
}
export type InsightKind = keyof Insights;

export interface InsightOut extends Partial<{ [kind in InsightKind]: Insights[kind] | null }> {
  job_id: string;
  kind: InsightKind;
  state: "queued" | "taken" | "done" | "failed";
  message: string;
}

export interface Curves {
  run: string;
  predictor: string;
  step: number[];
  at: number[];
  answers: (number | null)[];
  accuracy: (number | null)[];
  reward: (number | null)[];
  true_return: (number | null)[];
  behavior_return: (number | null)[];
  alarm: { line: string } | null;
}
