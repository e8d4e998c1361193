/** The screen where a person teaches: two clips, one answer. */

import { useComputed } from "@preact/signals";
import { useEffect, useLayoutEffect, useMemo, useState } from "preact/hooks";

import { freshCounts, outbox } from "../app";
import { api } from "../api";
import { useFetched } from "../hooks";
import { LastAnswer } from "../insight/LastAnswer";
import { action, belongsToFocus } from "../keys";
import { ClipView, useRunning } from "../player/ClipView";
import { Clock } from "../player/clock";
import { Orbit } from "../player/camera";
import { loadClip } from "../player/load";
import { Playback } from "../player/playback";
import { Teaching, type Showing } from "../teaching";
import type { Experiment, Session } from "../types";
import { AnswerButtons, PlayBar } from "./Buttons";
import { Finish, Instructions, instructionsSeen, Keys } from "./Dialogs";
import { Shell } from "./Shell";
import { Progress, Waiting } from "./Waiting";

type Open = "instructions" | "keys" | "finish" | null;

export function Teach({ id, session }: { id: string; session: Session }) {
  const { value, problem } = useFetched(() => api.experiment(id), 2000, id);
  const experiment = withFreshCounts(value);
  const teaching = useTeaching(id);
  const [open, setOpen] = useState<Open>(null);
  useEffect(() => {
    if (experiment?.instructions.trim() && !instructionsSeen(experiment)) setOpen("instructions");
  }, [experiment?.id]);
  const orbit = useMemo(() => new Orbit(), []);
  const [realTime, setRealTime] = useState(false);
  const showing = teaching.showing.value;
  const playback = usePlayback(showing, teaching, orbit, realTime);
  useKeys(teaching, playback, () => setRealTime((on) => !on), setOpen);
  const close = () => setOpen(null);
  const mayFinish = session.role !== "labeller" && experiment?.status === "open";
  const tools = mayFinish && <button type="button" onClick={() => setOpen("finish")}>Finish</button>;
  return (
    <Shell title={experiment?.name ?? ""} whole tools={tools}>
      {experiment && <Progress experiment={experiment} />}
      <Trouble line={problem || teaching.problem.value} />
      {showing && playback ? (
        <>
          <Pair showing={showing} playback={playback} />
          <AnswerButtons teaching={teaching} />
          <PlayBar teaching={teaching} playback={playback} realTime={realTime} setRealTime={setRealTime} open={setOpen} />
        </>
      ) : (
        <Waiting experiment={experiment} asked={teaching.asked.value} teaching={teaching} />
      )}
      <LastAnswer experiment={id} session={session} />
      {open === "instructions" && experiment && <Instructions experiment={experiment} close={close} />}
      {open === "keys" && <Keys close={close} />}
      {open === "finish" && experiment && <Finish experiment={experiment} close={close} />}
    </Shell>
  );
}

function Trouble({ line }: { line: string }) {
  return line ? <p class="notice bad" role="alert">{line}</p> : null;
}

/** Counts that came with an answer are newer than the last poll. */
function withFreshCounts(experiment: Experiment | null): Experiment | null {
  const fresh = useComputed(() => freshCounts.value).value;
  const [polled, setPolled] = useState<Experiment | null>(null);
  const [over, setOver] = useState<Experiment | null>(null);
  if (experiment !== polled) {
    setPolled(experiment);
    setOver(null);
  }
  useEffect(() => {
    if (experiment && fresh?.experiment === experiment.id) setOver({ ...experiment, counts: fresh.counts });
  }, [fresh]);
  return over ?? experiment;
}

function useTeaching(id: string): Teaching {
  const teaching = useMemo(() => new Teaching({ experiment: id, outbox, load: loadClip }), [id]);
  useEffect(() => {
    void teaching.fill();
    const fill = window.setInterval(() => document.visibilityState === "visible" && void teaching.fill(), 1000);
    const beat = window.setInterval(() => document.visibilityState === "visible" && void teaching.heartbeat(), 20_000);
    const leave = () => teaching.close();
    const back = (event: PageTransitionEvent) => event.persisted && teaching.reopen();
    window.addEventListener("pagehide", leave);
    window.addEventListener("pageshow", back);
    return () => {
      window.clearInterval(fill);
      window.clearInterval(beat);
      window.removeEventListener("pagehide", leave);
      window.removeEventListener("pageshow", back);
      teaching.close();
    };
  }, [teaching]);
  // A withdrawn query comes back with a new lease: ask for it as soon as the server knows.
  useEffect(() => {
    if (freshCounts.value?.verdict === "WITHDRAWN") void teaching.fill(true);
  }, [teaching, freshCounts.value]);
  return teaching;
}

/** A clock and views for the pair on the screen; a new one for each pair. */
function usePlayback(showing: Showing | null, teaching: Teaching, orbit: Orbit, realTime: boolean): Playback | null {
  const turn = showing?.turn ?? 0;
  const playback = useMemo(() => {
    if (!showing) return null;
    const [a, b] = showing.pair.clips;
    const nFrames = Math.max(a.ref.n_frames, b.ref.n_frames);
    const clock = new Clock({ nFrames, fps: a.ref.fps, dt: a.ref.dt });
    return new Playback(clock, orbit, 2, () => teaching.drawn(turn));
  }, [turn]);
  useLayoutEffect(() => playback?.set((clock) => (clock.realTime = realTime)), [playback, realTime]);
  useRunning(playback);
  return playback;
}

function useKeys(teaching: Teaching, playback: Playback | null, toggle: () => void, open: (what: Open) => void): void {
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const wish = action(event);
      if (!wish || belongsToFocus(event, document.activeElement as HTMLElement | null)) return;
      event.preventDefault();
      if (wish.do === "answer") teaching.answer(wish);
      else if (wish.do === "undo") teaching.undo(event.key);
      else if (wish.do === "pause") playback?.set((clock) => (clock.playing = !clock.playing));
      else if (wish.do === "realtime") toggle();
      else open(wish.do === "help" ? "keys" : "instructions");
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  });
}

function Pair({ showing, playback }: { showing: Showing; playback: Playback }) {
  const [left, right] = showing.pair.clips;
  return (
    <section class="pair" aria-label="Which clip is better?" data-turn={showing.turn}
      data-query={showing.pair.claim.query_id} data-testid="pair">
      <figure>
        <ClipView clip={left} playback={playback} name="left clip" />
        <figcaption>Left</figcaption>
      </figure>
      <figure>
        <ClipView clip={right} playback={playback} name="right clip" />
        <figcaption>Right</figcaption>
      </figure>
    </section>
  );
}
