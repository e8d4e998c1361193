/** The two clips, and the fingers on them. */

import { signal } from "@preact/signals";
import { useEffect, useMemo, useRef } from "preact/hooks";

import type { Choice } from "../keys";
import { ClipView } from "../player/ClipView";
import type { Playback } from "../player/playback";
import { type Cue, swiping } from "../swipe";
import type { Showing } from "../teaching";

interface Props {
  showing: Showing;
  playback: Playback;
  swiped: (verdict: Choice) => void;
}

export function Pair({ showing, playback, swiped }: Props) {
  const [left, right] = showing.pair.clips;
  const place = useRef<HTMLElement>(null);
  const cue = useMemo(() => signal<Cue | null>(null), []);
  // The listeners stay; what they call changes with each pair.
  const now = useRef({ swiped, playback });
  now.current = { swiped, playback };
  useEffect(
    () =>
      swiping(place.current!, {
        cue: (next) => (cue.value = next),
        answer: (verdict) => now.current.swiped(verdict),
        turn: ({ dx, dy, scale }) => {
          now.current.playback.orbit.drag(dx, dy);
          now.current.playback.orbit.scale(scale);
        },
      }),
    [],
  );
  const pulled = cue.value;
  const side = (verdict: Choice) => (pulled?.verdict === verdict ? "pulled" : "");
  return (
    <section ref={place} class="pair" aria-label="Which clip is better?" data-turn={showing.turn}
      data-query={showing.pair.claim.query_id} data-testid="pair">
      <figure class={side("LEFT")}>
        <ClipView clip={left} playback={playback} name="left clip" />
        <figcaption>Left</figcaption>
      </figure>
      <figure class={side("RIGHT")}>
        <ClipView clip={right} playback={playback} name="right clip" />
        <figcaption>Right</figcaption>
      </figure>
      {pulled && <Cued cue={pulled} />}
    </section>
  );
}

const WORDS: Record<Choice, string> = {
  LEFT: "← Left is better",
  RIGHT: "Right is better →",
  TIE: "↑ Equally good",
  ABSTAIN: "↓ Can't tell",
};

/** What letting go would mean; it fills up until letting go answers. */
function Cued({ cue: { verdict, pull } }: { cue: Cue }) {
  return (
    <div class={pull >= 1 ? `cue ${verdict} far` : `cue ${verdict}`} aria-hidden="true" data-testid="cue">
      <strong>{WORDS[verdict]}</strong>
      <progress max={1} value={pull} />
      <small>{pull >= 1 ? "let go to answer" : "further…"}</small>
    </div>
  );
}
