/**
 * On the teaching screen: what r̂ makes of the pair that was answered last. Off until switched on, and only for
 * researchers: answers given with r̂ in view tend to agree with it, and then teach it nothing.
 */

import { signal } from "@preact/signals";

import { lastSaved } from "../app";
import { verdictText } from "../format";
import { unswap } from "../sides";
import { PairStrips } from "./PairStrips";

const SWITCH = "rl-teacher.last-answer";

const on = signal(remembered());

/** Stands among the tools; on a narrow screen only its sign does. */
export function LastAnswerSwitch() {
  const flip = () => {
    on.value = !on.value;
    remember(on.value);
  };
  return (
    <button type="button" class="tool" title="r̂ of the last answer" aria-label="r̂ of the last answer" aria-pressed={on.value} onClick={flip}>
      r̂<span class="roomy">of the last answer</span>
    </button>
  );
}

export function LastAnswer({ experiment }: { experiment: string }) {
  if (!on.value) return null;
  const last = lastSaved.value;
  const mine = last?.experiment === experiment && last.label.verdict !== "WITHDRAWN" ? last.label : null;
  return (
    <aside class="last-answer" aria-label="Last answer">
      {!mine && <span class="soft">r̂ appears here after your next answer.</span>}
      {mine && (
        <>
          <span class="soft">You said: {verdictText({ verdict: unswap(mine.verdict, mine.swapped), strength: mine.strength })}</span>
          <PairStrips key={mine.id} experiment={experiment} query={mine.query_id} swapped={mine.swapped} />
        </>
      )}
    </aside>
  );
}

function remembered(): boolean {
  try {
    return localStorage.getItem(SWITCH) === "on";
  } catch {
    return false;
  }
}

function remember(value: boolean): void {
  try {
    localStorage.setItem(SWITCH, value ? "on" : "off");
  } catch {
    // Without storage the switch holds until the page is left.
  }
}
