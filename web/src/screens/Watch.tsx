/** What the agent does now: its latest replays, the newest one playing. */

import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";

import { api } from "../api";
import { signedOut } from "../app";
import { StripView } from "../charts/StripView";
import { ago, stateOf, trainerText, whole } from "../format";
import { useFetched } from "../hooks";
import { ask } from "../insight/ask";
import { BestWorstPanel } from "../insight/BestWorstPanel";
import { CurvesPanel } from "../insight/CurvesPanel";
import { DisagreementsPanel } from "../insight/DisagreementsPanel";
import { ForecastPanel } from "../insight/ForecastPanel";
import { action, belongsToFocus, keyLabel, shortcutOf } from "../keys";
import { keymap } from "../keymap";
import { ClipView, useRunning } from "../player/ClipView";
import { Orbit } from "../player/camera";
import { Clock, factorText } from "../player/clock";
import { loadClip } from "../player/load";
import { Playback } from "../player/playback";
import type { Clip } from "../player/poses";
import { link } from "../route";
import type { Played, Strip } from "../insight/types";
import type { Replay, Session } from "../types";
import { Tool } from "./Buttons";
import { isResearcher } from "./List";
import { Missing } from "./Missing";
import { Shell } from "./Shell";
import { Tabs } from "./Tabs";

const SPEEDS = [0.25, 0.5, 1, 2, 4];

export function Watch({ name, session }: { name: string; session: Session }) {
  const { value, problem, missing } = useFetched(() => api.run(name), 4000, name);
  const [chosen, setChosen] = useState<string | null>(null);
  const [played, setPlayed] = useState<Played[]>([]);
  const replays = withPlayed(value?.replays ?? [], played);
  const replay = replays.find((one) => nameOf(one) === chosen) ?? replays[0] ?? null;
  const strip = played.find((one) => replay && nameOf(one.replay) === nameOf(replay))?.strip ?? null;
  const researcher = isResearcher(session);
  const teach = value && <a class="button" href={link("teach", value.experiment.id)}>Teach</a>;
  const state = value && stateOf({ status: "open", run: value.run });
  const insight = value && researcher ? value.experiment.id : null;
  const arrived = (one: Played) => {
    setPlayed((before) => [one, ...before]);
    setChosen(null);
  };
  if (missing) return <Missing message={problem} />;
  return (
    <Shell title={`Watch · ${name}`} tools={!researcher && teach}>
      {researcher && value && <Tabs id={value.experiment.id} here="watch" run={value.run} />}
      {problem && <p class="notice bad" role="alert">{problem}</p>}
      {value && (
        <p class="soft">
          <span class={`tag ${state!.tone}`}>{state!.word}</span> {value.experiment.env_id} · {trainerText(value.run)}
        </p>
      )}
      {value && !replay && (
        <div class="quiet">
          <h2>No replay yet</h2>
          <p>The trainer records what the agent does now and then. The first replay appears here by itself.</p>
          {insight && <PlayNow experiment={insight} run={name} arrived={arrived} />}
        </div>
      )}
      {replay && (
        <div class="watch">
          <Player replay={replay} strip={strip} />
          <div class="beside">
            {insight && <PlayNow experiment={insight} run={name} arrived={arrived} />}
            <ReplayList replays={replays} shown={replay} choose={setChosen} />
          </div>
        </div>
      )}
      {insight && <Learned experiment={insight} run={name} predictor={value!.run.predictor} session={session} />}
    </Shell>
  );
}

/** What was just played stands first, until the server lists it too. */
function withPlayed(listed: Replay[], played: Played[]): Replay[] {
  const known = new Set(listed.map(nameOf));
  return [...played.map(({ replay }) => replay).filter((one) => !known.has(nameOf(one))), ...listed];
}

interface LearnedProps {
  experiment: string;
  run: string;
  predictor: string;
  session: Session;
}

/** What it learned, for researchers: curves always, the rest where there is an r̂. */
function Learned({ experiment, run, predictor, session }: LearnedProps) {
  return (
    <>
      <CurvesPanel experiment={experiment} run={run} />
      {predictor !== "rl" && <BestWorstPanel experiment={experiment} run={run} />}
      {predictor === "human" && <DisagreementsPanel experiment={experiment} run={run} session={session} />}
      {predictor !== "rl" && <ForecastPanel experiment={experiment} run={run} />}
    </>
  );
}

/** Let the present policy play an episode. */
function PlayNow({ experiment, run, arrived }: { experiment: string; run: string; arrived: (one: Played) => void }) {
  const [line, setLine] = useState("");
  const [busy, setBusy] = useState(false);
  const left = useRef(false);
  useEffect(() => () => void (left.current = true), []);
  const play = async () => {
    setBusy(true);
    setLine("");
    try {
      const one = await ask(experiment, { kind: "agent_now", run }, () => !left.current, setLine);
      setLine("");
      if (one) arrived(one);
    } catch (error) {
      if (!signedOut(error)) setLine((error as Error).message);
    }
    setBusy(false);
  };
  return (
    <div class="play-now">
      <button type="button" class="primary" disabled={busy} onClick={() => void play()}>
        {busy ? "Playing…" : "Play now"}
      </button>
      {line && <p class="soft" role="status">{line}</p>}
    </div>
  );
}

const nameOf = (replay: Replay): string => `${replay.step}/${replay.clip.clip_id}`;

function ReplayList({ replays, shown, choose }: { replays: Replay[]; shown: Replay; choose: (name: string | null) => void }) {
  return (
    <ol class="replays" aria-label="Replays, newest first">
      {replays.map((replay, index) => (
        <li key={nameOf(replay)} data-testid="replay">
          <button
            type="button"
            aria-current={replay === shown}
            // The newest one stays the newest: it gives way to the next replay when that comes.
            onClick={() => choose(index === 0 ? null : nameOf(replay))}
          >
            <span class="strong">{index === 0 ? "Newest" : `Step ${whole(replay.step)}`}</span>
            <span class="soft">
              {index === 0 && `step ${whole(replay.step)} · `}
              {replay.true_return !== null && `true return ${replay.true_return.toFixed(1)} · `}
              {ago(replay.created_at, Date.now() / 1000)}
            </span>
          </button>
        </li>
      ))}
    </ol>
  );
}

function Player({ replay, strip }: { replay: Replay; strip: Strip | null }) {
  const [clip, setClip] = useState<Clip | null>(null);
  const [problem, setProblem] = useState("");
  useEffect(() => {
    setProblem("");
    loadClip(replay.clip).then(setClip, (error: Error) => setProblem(error.message));
  }, [replay.clip.clip_id]);
  if (problem) return <p class="notice bad" role="alert">{problem}</p>;
  return clip ? <Playing clip={clip} strip={strip} /> : <p class="soft">Fetching the replay…</p>;
}

function Playing({ clip, strip }: { clip: Clip; strip: Strip | null }) {
  const orbit = useMemo(() => new Orbit(), []);
  const [realTime, setRealTime] = useState(true);
  const [speed, setSpeed] = useState(1);
  const playback = useMemo(() => {
    const { n_frames, fps, dt } = clip.ref;
    return new Playback(new Clock({ nFrames: n_frames, fps, dt }), orbit, 1);
  }, [clip]);
  useLayoutEffect(
    () => playback.set((clock) => Object.assign(clock, { realTime, speed })),
    [playback, realTime, speed],
  );
  useRunning(playback);
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const wish = action(event, keymap.value);
      if (!wish || belongsToFocus(event, document.activeElement as HTMLElement | null)) return;
      if (wish.do === "pause") toggle(playback);
      else if (wish.do === "realtime") setRealTime((on) => !on);
      else return;
      event.preventDefault();
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, [playback]);
  void playback.changed.value;
  const keys = keymap.value;
  return (
    <section class="player" aria-label="Replay">
      <figure>
        <ClipView clip={clip} playback={playback} name="the agent" />
      </figure>
      <Scrubber playback={playback} strip={strip} />
      <div class="playbar" role="group" aria-label="Playback">
        <Tool press={() => toggle(playback)} keys={keyLabel(keys.pause)} shortcut={shortcutOf(keys.pause)}>
          {playback.clock.playing ? "Pause" : "Play"}
        </Tool>
        <Tool press={() => setRealTime(!realTime)} keys={keyLabel(keys.realtime)} shortcut={shortcutOf(keys.realtime)} pressed={realTime}>
          {factorText(playback.clock.life)}
        </Tool>
        <label class="tool">
          Speed{" "}
          <select value={speed} onChange={(event) => setSpeed(Number(event.currentTarget.value))}>
            {SPEEDS.map((one) => <option key={one} value={one}>{one}×</option>)}
          </select>
        </label>
      </div>
    </section>
  );
}

function toggle(playback: Playback): void {
  playback.set((clock) => (clock.playing = !clock.playing));
}

/** Where in the replay we are, and a way to go elsewhere. */
function Scrubber({ playback, strip }: { playback: Playback; strip: Strip | null }) {
  const { clock } = playback;
  const [frame, setFrame] = useState(0);
  useEffect(() => {
    const timer = window.setInterval(() => setFrame(clock.frame), 200);
    return () => window.clearInterval(timer);
  }, [clock]);
  const seek = (event: Event) => {
    playback.set((c) => c.seek(Number((event.currentTarget as HTMLInputElement).value)));
    setFrame(clock.frame);
  };
  return (
    <>
      {strip && <StripView strip={strip} name="this replay" at={frame / Math.max(1, clock.last)} />}
      <input class="scrubber" type="range" min={0} max={clock.last} step={1} value={frame} onInput={seek}
        aria-label="Position in the replay" />
    </>
  );
}
