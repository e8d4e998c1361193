/** A clip in the instructions, playing in a loop, with the researcher's words below it. */

import { useEffect, useMemo, useState } from "preact/hooks";

import { api, OfflineError } from "../api";
import { ClipView, useRunning } from "../player/ClipView";
import { Orbit } from "../player/camera";
import { Clock } from "../player/clock";
import { loadClip } from "../player/load";
import { Playback } from "../player/playback";
import type { Clip } from "../player/poses";

export function Example({ id, words, experiment }: { id: string; words: string; experiment: string }) {
  const [clip, setClip] = useState<Clip | null>(null);
  const [problem, setProblem] = useState("");
  useEffect(() => {
    const missing = (error: unknown) =>
      setProblem(error instanceof OfflineError ? error.message : "This example clip is missing; the text still counts.");
    api.clip(id, experiment).then(loadClip).then(setClip).catch(missing);
  }, [id, experiment]);
  return (
    <figure class="example" data-testid="example">
      {clip && <Looping clip={clip} words={words} />}
      {!clip && <p class="soft" role={problem ? "alert" : undefined}>{problem || "Fetching the clip…"}</p>}
      {words && <figcaption>{words}</figcaption>}
    </figure>
  );
}

function Looping({ clip, words }: { clip: Clip; words: string }) {
  const playback = useMemo(() => {
    const { n_frames, fps, dt } = clip.ref;
    return new Playback(new Clock({ nFrames: n_frames, fps, dt }), new Orbit(), 1);
  }, [clip]);
  useRunning(playback);
  return <ClipView clip={clip} playback={playback} name={`example: ${words || "a clip"}`} turns={false} />;
}
