/** The screen where a person teaches: two clips, one answer. */

import { useComputed } from "@preact/signals";
import { useEffect, useMemo, useState } from "preact/hooks";

import { cameLate, freshCounts } from "../app";
import { api } from "../api";
import { deedText } from "../format";
import { Held } from "../guard";
import { useFetched } from "../hooks";
import { LastAnswer, LastAnswerSwitch } from "../insight/LastAnswer";
import { action, type Action, type Answer, belongsToFocus, type Choice } from "../keys";
import { keymap } from "../keymap";
import { nextSpeed } from "../player/clock";
import { Orbit } from "../player/camera";
import { link } from "../route";
import type { Teaching } from "../teaching";
import type { Experiment, Run, Session } from "../types";
import { AnswerButtons, PlayBar, Scale } from "./Buttons";
import { Finish, Instructions, instructionsSeen } from "./Dialogs";
import { KeysDialog } from "./KeysDialog";
import { isResearcher } from "./List";
import { Missing } from "./Missing";
import { Pair } from "./Pair";
import { Shell } from "./Shell";
import { type Pace, useLooking, usePlayback, useTeaching } from "./useTeaching";
import { Progress, Waiting } from "./Waiting";

type Open = "instructions" | "keys" | "finish" | null;

export function Teach({ id, session }: { id: string; session: Session }) {
  const { value, problem, missing } = useFetched(() => api.experiment(id), 2000, id);
  const experiment = withFreshCounts(value);
  const teaching = useTeaching(id);
  const [open, setOpen] = useState<Open>(null);
  const [finishing, setFinishing] = useState(false);
  useEffect(() => {
    if (experiment?.instructions.trim() && !instructionsSeen(experiment)) setOpen("instructions");
  }, [experiment?.id, experiment?.instructions]);
  useLooking(teaching, open !== null);
  const orbit = useMemo(() => new Orbit(), []);
  const [pace, setPace] = useState<Pace>({ realTime: false, speed: 1 });
  const [playback, answer] = usePlayback(teaching, orbit, pace);
  const act = (wish: Action, how: string, at: number) => {
    if (wish.do === "answer") answer(wish, at);
    else if (wish.do === "undo") teaching.undo(how);
    else if (wish.do === "pause") playback?.set((clock) => (clock.playing = !clock.playing));
    else if (wish.do === "back" || wish.do === "forward") playback?.set((clock) => clock.step(wish.do === "back" ? -1 : 1));
    else if (wish.do === "slower" || wish.do === "faster") {
      setPace((old) => ({ ...old, speed: nextSpeed(old.speed, wish.do === "slower" ? -1 : 1) }));
    } else if (wish.do === "realtime") setPace((old) => ({ ...old, realTime: !old.realTime }));
    else setOpen(wish.do === "help" ? "keys" : "instructions");
  };
  useKeys(act);
  const tap = (wish: Action) => act(wish, "tap", performance.now());
  const swiped = (verdict: Choice) => answer(swipe(verdict), performance.now());
  const close = () => setOpen(null);
  // A trainer that ends takes its page's server with it: after "finish" that is no trouble.
  const gone = finishing && problem !== "";
  const over = gone || experiment?.status === "finished";
  const showing = over ? null : teaching.showing.value;
  const mayFinish = isResearcher(session) && experiment?.status === "open";
  const tools = mayFinish && <button type="button" onClick={() => setOpen("finish")}>Finish</button>;
  const trouble = gone ? "" : problem || teaching.problem.value;
  if (missing) return <Missing message={problem} />;
  return (
    <Shell title={experiment?.name ?? ""} whole tools={tools}>
      <Progress experiment={experiment} trouble={trouble} late={cameLate.value === id} />
      <Told teaching={teaching} />
      {isResearcher(session) && <Alarm run={experiment?.run ?? null} />}
      {showing && playback ? (
        <>
          <Pair showing={showing} playback={playback} swiped={swiped} />
          <AnswerButtons tap={tap} />
          <Scale tap={tap} />
        </>
      ) : (
        <Waiting experiment={experiment} asked={teaching.asked.value} gone={gone} away={trouble !== ""} />
      )}
      <PlayBar teaching={teaching} playback={showing && playback} pace={pace} tap={tap}>
        {isResearcher(session) && <LastAnswerSwitch />}
      </PlayBar>
      {isResearcher(session) && <LastAnswer experiment={id} />}
      {open === "instructions" && experiment && <Instructions experiment={experiment} close={close} />}
      {open === "keys" && <KeysDialog close={close} />}
      {open === "finish" && experiment && <Finish experiment={experiment} close={close} told={() => setFinishing(true)} />}
    </Shell>
  );
}

const swipe = (verdict: Choice): Answer => ({ do: "answer", verdict, strength: "PLAIN", key: "swipe" });

/** r̂ rises while it agrees with people less and less: whoever teaches should look at what the agent does. */
function Alarm({ run }: { run: Run | null }) {
  if (!run?.progress.alarm) return null;
  return (
    <p class="notice bad" role="alert" data-testid="alarm">
      {run.progress.alarm} <a href={link("watch", run.name)}>Watch it</a>
    </p>
  );
}

/** What was just answered, for those who cannot see that the next pair has come. */
function Told({ teaching }: { teaching: Teaching }) {
  const last = teaching.last.value;
  return (
    <p class="sr-only" role="status" data-testid="told">
      {last && <span key={last.n}>{deedText(last)}</span>}
    </p>
  );
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

function useKeys(act: (wish: Action, how: string, at: number) => void): void {
  const held = useMemo(() => new Held(), []);
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const wish = action(event, keymap.value);
      if (!wish || belongsToFocus(event, document.activeElement as HTMLElement | null)) return;
      event.preventDefault();
      if (wish.do === "answer" && held.down(event.key, event.repeat, event.timeStamp)) return;
      act(wish, event.key.slice(0, 32), event.timeStamp);
    };
    const onUp = (event: KeyboardEvent) => held.up(event.key, event.timeStamp);
    window.addEventListener("keydown", onKey);
    window.addEventListener("keyup", onUp);
    return () => {
      window.removeEventListener("keydown", onKey);
      window.removeEventListener("keyup", onUp);
    };
  });
}
