/** One small clip, fetched at once, moving while looked at. */

import { useEffect, useLayoutEffect, useMemo, useState } from "preact/hooks";

import { ClipView, useRunning } from "../player/ClipView";
import { Orbit } from "../player/camera";
import { Clock } from "../player/clock";
import { loadClip } from "../player/load";
import { Playback } from "../player/playback";
import type { Clip } from "../player/poses";
import type { ClipRef } from "../types";

export function MiniClip({ clip, name }: { clip: ClipRef; name: string }) {
  const [loaded, setLoaded] = useState<Clip | null>(null);
  const [problem, setProblem] = useState("");
  const [looking, setLooking] = useState(false);
  useEffect(() => {
    loadClip(clip).then(setLoaded, (error: Error) => setProblem(error.message));
  }, [clip.clip_id]);
  return (
    <button type="button" class="mini-clip" aria-label={`Play ${name}`}
      onMouseEnter={() => setLooking(true)} onMouseLeave={() => setLooking(false)}
      onFocus={() => setLooking(true)} onBlur={() => setLooking(false)}>
      {problem && <span class="soft">{problem}</span>}
      {loaded && <Moving clip={loaded} looking={looking} name={name} />}
    </button>
  );
}

function Moving({ clip, looking, name }: { clip: Clip; looking: boolean; name: string }) {
  const playback = useMemo(() => {
    const { n_frames, fps, dt } = clip.ref;
    const made = new Playback(new Clock({ nFrames: n_frames, fps, dt }), new Orbit(), 1);
    made.clock.seek(n_frames / 2);
    return made;
  }, [clip]);
  useLayoutEffect(() => playback.set((clock) => (clock.playing = looking)), [playback, looking]);
  useRunning(playback);
  return <ClipView clip={clip} playback={playback} name={name} turns={false} />;
}
