/** Sides of the screen and sides of the query: the server's random `swapped` maps one to the other. */

import type { Verdict } from "./types";

/** The pair in the order of the screen: first what is shown on the left. */
export function onScreen<T>(pair: { left: T; right: T }, swapped: boolean): [T, T] {
  return swapped ? [pair.right, pair.left] : [pair.left, pair.right];
}

/** A verdict about the screen as a verdict about the query, or the other way round: the map is its own inverse. */
export function unswap(verdict: Verdict, swapped: boolean): Verdict {
  if (!swapped) return verdict;
  if (verdict === "LEFT") return "RIGHT";
  if (verdict === "RIGHT") return "LEFT";
  return verdict;
}
