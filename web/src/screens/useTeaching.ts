/** The teaching screen's state and clocks, tied to the page: tabs, windows and time. */

import { useEffect, useLayoutEffect, useMemo, useRef } from "preact/hooks";

import { freshCounts, outbox, shelf } from "../app";
import type { Answer } from "../keys";
import type { Orbit } from "../player/camera";
import { Clock } from "../player/clock";
import { useRunning } from "../player/ClipView";
import { loadClip } from "../player/load";
import { Playback } from "../player/playback";
import { Tabs } from "../tabs";
import { Teaching } from "../teaching";

const FILL_MS = 1000;
const BEAT_MS = 20_000;
/** The browser's own measure of a key press until both clips of the next pair are drawn. */
export const NEXT_PAIR = "rlt-next-pair";

const inFront = () => document.visibilityState === "visible";

/** Pairs for one experiment while the screen is there. */
export function useTeaching(id: string): Teaching {
  const tabs = useMemo(() => new Tabs({ shelf, origin: location.origin, experiment: id, visible: inFront }), [id]);
  const teaching = useMemo(() => new Teaching({ experiment: id, outbox, load: loadClip, tabs }), [id]);
  useEffect(() => {
    void teaching.fill();
    const fill = window.setInterval(() => inFront() && void teaching.fill(), FILL_MS);
    const beat = window.setInterval(() => inFront() && void teaching.heartbeat(), BEAT_MS);
    const stop = new AbortController();
    const on = (type: string, then: (event: Event) => void) => window.addEventListener(type, then, { signal: stop.signal });
    on("pagehide", () => teaching.close());
    on("pageshow", (event) => (event as PageTransitionEvent).persisted && teaching.reopen());
    on("storage", (event) => tabs.concerns((event as StorageEvent).key) && teaching.makeWay());
    document.addEventListener("visibilitychange", () => teaching.tell(), { signal: stop.signal });
    return () => {
      window.clearInterval(fill);
      window.clearInterval(beat);
      stop.abort();
      teaching.close();
    };
  }, [teaching]);
  // A withdrawn query comes back with a new lease: ask for it as soon as the server knows.
  useEffect(() => {
    if (freshCounts.value?.verdict === "WITHDRAWN") void teaching.fill(true);
  }, [teaching, freshCounts.value]);
  return teaching;
}

/** The time a person looks at a pair: not while a dialog covers it or another tab is in front. */
export function useLooking(teaching: Teaching, covered: boolean): void {
  useLayoutEffect(() => {
    const look = () => teaching.looking(!covered && inFront());
    look();
    document.addEventListener("visibilitychange", look);
    return () => document.removeEventListener("visibilitychange", look);
  }, [teaching, covered]);
}

/** How the clips are played; stays from pair to pair. */
export interface Pace {
  realTime: boolean;
  speed: number;
}

/** A clock and views for the pair on the screen, a new one for each pair; and the way to answer it. */
export function usePlayback(
  teaching: Teaching,
  orbit: Orbit,
  { realTime, speed }: Pace,
): [Playback | null, (answer: Answer, at: number) => boolean] {
  const showing = teaching.showing.value;
  const turn = showing?.turn ?? 0;
  const answeredAt = useRef<number | null>(null);
  const playback = useMemo(() => {
    if (!showing) return null;
    const [a, b] = showing.pair.clips;
    const nFrames = Math.max(a.ref.n_frames, b.ref.n_frames);
    const clock = new Clock({ nFrames, fps: a.ref.fps, dt: a.ref.dt });
    return new Playback(clock, orbit, 2, () => {
      teaching.drawn(turn);
      if (answeredAt.current !== null) measure(answeredAt.current);
      answeredAt.current = null;
    });
  }, [turn]);
  useLayoutEffect(() => playback?.set((clock) => Object.assign(clock, { realTime, speed })), [playback, realTime, speed]);
  // Drawn at once, not with the next picture: the views are there by now, for effects of children come first.
  useLayoutEffect(() => playback?.tick(0, false), [playback]);
  useRunning(playback);
  const answer = (said: Answer, at: number) => {
    const taken = teaching.answer(said);
    if (taken) answeredAt.current = at;
    return taken;
  };
  return [playback, answer];
}

function measure(start: number): void {
  performance.clearMeasures(NEXT_PAIR);
  performance.measure(NEXT_PAIR, { start, end: performance.now() });
}
