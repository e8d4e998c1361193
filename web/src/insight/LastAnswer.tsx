/**
 * On the teaching screen: what r̂ makes of the pair that was answered last. Off until switched on, and only for
 * researchers: answers given with r̂ in view tend to agree with it, and then teach it nothing.
 */

import { useState } from "preact/hooks";

import { lastSaved } from "../app";
import { verdictText } from "../format";
import { unswap } from "../sides";
import type { Session } from "../types";
import { PairStrips } from "./PairStrips";

const SWITCH = "rl-teacher.last-answer";

export function LastAnswer({ experiment, session }: { experiment: string; session: Session }) {
  const [on, setOn] = useState(() => remembered());
  if (session.role === "labeller") return null;
  const flip = () => {
    remember(!on);
    setOn(!on);
  };
  const last = lastSaved.value;
  const mine = last?.experiment === experiment && last.label.verdict !== "WITHDRAWN" ? last.label : null;
  return (
    <aside class={on ? "last-answer on" : "last-answer"} aria-label="Last answer">
      <button type="button" class="tool" aria-pressed={on} onClick={flip}>r̂ of the last answer</button>
      {on && !mine && <span class="soft">Appears after your next answer.</span>}
      {on && mine && (
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

function remember(on: boolean): void {
  try {
    localStorage.setItem(SWITCH, on ? "on" : "off");
  } catch {
    // Without storage the switch holds until the page is left.
  }
}
