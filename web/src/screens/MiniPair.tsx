/** Small clips for lists: fetched when they come into view, moving while looked at. */

import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";

import { ClipView, useRunning } from "../player/ClipView";
import { Orbit } from "../player/camera";
import { Clock } from "../player/clock";
import { loadClip } from "../player/load";
import { Playback } from "../player/playback";
import type { Clip } from "../player/poses";
import type { ClipRef } from "../types";

interface Props {
  left: ClipRef;
  right: ClipRef;
  /** Which side was found better, for its frame. */
  better: "LEFT" | "RIGHT" | null;
}

export function MiniPair({ left, right, better }: Props) {
  const place = useRef<HTMLButtonElement>(null);
  const near = useNear(place);
  const [clips, problem] = useClips(near, left, right);
  const [looking, setLooking] = useState(false);
  const on = () => setLooking(true);
  const off = () => setLooking(false);
  return (
    <button
      type="button"
      ref={place}
      class="mini"
      onMouseEnter={on}
      onMouseLeave={off}
      onFocus={on}
      onBlur={off}
    >
      <span class="sr-only">Play both:</span>
      {problem && <span class="soft">{problem}</span>}
      {clips && <Moving clips={clips} looking={looking} better={better} />}
    </button>
  );
}

function Moving({ clips, looking, better }: { clips: [Clip, Clip]; looking: boolean; better: Props["better"] }) {
  const playback = useMemo(() => {
    const [a, b] = clips;
    const nFrames = Math.max(a.ref.n_frames, b.ref.n_frames);
    const made = new Playback(new Clock({ nFrames, fps: a.ref.fps, dt: a.ref.dt }), new Orbit(), 2);
    // At rest: the middle of the clip says more than its beginning.
    made.clock.seek(nFrames / 2);
    return made;
  }, [clips]);
  useLayoutEffect(() => playback.set((clock) => (clock.playing = looking)), [playback, looking]);
  useRunning(playback);
  return (
    <>
      <span class={better === "LEFT" ? "half better" : "half"}>
        <ClipView clip={clips[0]} playback={playback} name="left clip" turns={false} />
        <small aria-hidden="true">Left</small>
      </span>
      <span class={better === "RIGHT" ? "half better" : "half"}>
        <ClipView clip={clips[1]} playback={playback} name="right clip" turns={false} />
        <small aria-hidden="true">Right</small>
      </span>
    </>
  );
}

/** True from the moment an element comes near the window. */
function useNear(place: { current: HTMLElement | null }): boolean {
  const [near, setNear] = useState(false);
  useEffect(() => {
    const watch = new IntersectionObserver(
      (entries) => {
        if (entries.some((entry) => entry.isIntersecting)) setNear(true);
      },
      { rootMargin: "200px" },
    );
    if (place.current) watch.observe(place.current);
    return () => watch.disconnect();
  }, []);
  return near;
}

function useClips(wanted: boolean, left: ClipRef, right: ClipRef): [[Clip, Clip] | null, string] {
  const [clips, setClips] = useState<[Clip, Clip] | null>(null);
  const [problem, setProblem] = useState("");
  useEffect(() => {
    if (!wanted) return;
    Promise.all([loadClip(left), loadClip(right)]).then(setClips, (error: Error) => setProblem(error.message));
  }, [wanted, left.clip_id, right.clip_id]);
  return [clips, problem];
}
