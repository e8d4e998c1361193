/** r̂ along both clips of an answered question. */

import { commonRange, StripView } from "../charts/StripView";
import { percent } from "../charts/scale";
import { onScreen } from "../sides";
import type { QueryRewards } from "./types";
import { useInsight } from "./ask";

interface Props {
  experiment: string;
  query: string;
  /** The pair was shown with its sides exchanged. */
  swapped?: boolean;
}

export function PairStrips({ experiment, query, swapped = false }: Props) {
  const { value, line, busy } = useInsight(experiment, { kind: "rewards", query_id: query }, true);
  return (
    <div class="pair-strips" data-testid="pair-strips">
      {value && <Both told={value} swapped={swapped} />}
      {(line || (busy && !value)) && <p class="soft" role="status">{line || "Asking r̂…"}</p>}
    </div>
  );
}

function Both({ told, swapped }: { told: QueryRewards; swapped: boolean }) {
  const [left, right] = onScreen(told, swapped);
  const range = commonRange([left, right]);
  const p = swapped ? 1 - told.p_left : told.p_left;
  return (
    <>
      <p class="strong">{opinion(p)}</p>
      <div class="two-strips">
        <StripView strip={left} range={range} name="the left clip" caption="Left:" />
        <StripView strip={right} range={range} name="the right clip" caption="Right:" />
      </div>
    </>
  );
}

/** What r̂ thinks, from P[left is better]. */
export function opinion(p: number): string {
  const side = p >= 0.5 ? "left" : "right";
  const sure = Math.max(p, 1 - p);
  if (sure < 0.55) return `r̂ hardly sees a difference (${side}, ${percent(sure)})`;
  return `r̂ says ${side} is better, ${percent(sure)} sure`;
}
