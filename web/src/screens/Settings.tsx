/** The researcher's controls of one experiment. */

import { useEffect, useState } from "preact/hooks";

import { signedOut } from "../app";
import { api } from "../api";
import { answersText, stateOf, trainerText } from "../format";
import { useFetched } from "../hooks";
import { Markdown } from "../markdown";
import type { Experiment, Settings as Changes } from "../types";
import { Finish } from "./Dialogs";
import { InviteButton } from "./Invite";
import { Missing } from "./Missing";
import { Shell } from "./Shell";
import { Tabs } from "./Tabs";

export function Settings({ id }: { id: string }) {
  const { value: experiment, problem, missing } = useFetched(() => api.experiment(id), 3000, id);
  if (missing) return <Missing message={problem} />;
  return (
    <Shell title={experiment ? `Settings · ${experiment.name}` : "Settings"} tools={<InviteButton experiment={id} />}>
      <Tabs id={id} here="settings" run={experiment?.run} />
      {problem && <p class="notice bad" role="alert">{problem}</p>}
      {experiment && (
        <div class="panels">
          <Course experiment={experiment} />
          <section class="card">
            <h2>Export</h2>
            <p>Every question and every answer, as it was given, changed and corrected.</p>
            <div class="row">
              <a class="button" href={api.exportUrl(id, "jsonl")} download>JSON lines</a>
              <a class="button" href={api.exportUrl(id, "csv")} download>CSV</a>
            </div>
          </section>
          <Asking experiment={experiment} />
          <Instructions experiment={experiment} />
        </div>
      )}
    </Shell>
  );
}

/** What went wrong with the last request, and whether one is under way. */
function useRequest(): [string, boolean, (task: () => Promise<unknown>) => Promise<boolean>] {
  const [problem, setProblem] = useState("");
  const [busy, setBusy] = useState(false);
  const run = async (task: () => Promise<unknown>) => {
    setBusy(true);
    try {
      await task();
      setProblem("");
      return true;
    } catch (error) {
      if (!signedOut(error)) setProblem((error as Error).message);
      return false;
    } finally {
      setBusy(false);
    }
  };
  return [problem, busy, run];
}

function Course({ experiment }: { experiment: Experiment }) {
  const [problem, busy, run] = useRequest();
  const [finishing, setFinishing] = useState(false);
  const { id, status, run: trainer } = experiment;
  const { word, tone } = stateOf(experiment);
  const paused = Boolean(trainer?.progress.paused);
  return (
    <section class="card">
      <div class="card-head"><h2>Course</h2><span class={`tag ${tone}`}>{paused && trainer?.alive ? "paused" : word}</span></div>
      <p>{answersText(experiment)}. {trainerText(trainer)}</p>
      {problem && <p class="notice bad" role="alert">{problem}</p>}
      <div class="row">
        {trainer?.alive && (
          <button type="button" disabled={busy} onClick={() => void run(() => api.job(id, paused ? "resume" : "pause"))}>
            {paused ? "Resume" : "Pause the agent"}
          </button>
        )}
        {trainer?.alive && status === "open" && <button type="button" onClick={() => setFinishing(true)}>Finish</button>}
        {!trainer?.alive && (
          <button type="button" disabled={busy} onClick={() => void run(() => api.edit(id, { status: status === "open" ? "finished" : "open" }))}>
            {status === "open" ? "Ask no more" : "Ask again"}
          </button>
        )}
      </div>
      {finishing && <Finish experiment={experiment} close={() => setFinishing(false)} />}
    </section>
  );
}

function Instructions({ experiment }: { experiment: Experiment }) {
  const [text, setText] = useState(experiment.instructions);
  const [saved, setSaved] = useState(false);
  const [problem, busy, run] = useRequest();
  const changed = text !== experiment.instructions;
  const save = () => run(() => api.edit(experiment.id, { instructions: text })).then(setSaved);
  return (
    <section class="card wide">
      <h2>Instructions</h2>
      <p class="soft">What people are told before they begin, in Markdown. Who has read them reads them again when they change.</p>
      <div class="editor">
        <label class="field">
          Text
          <textarea
            rows={12}
            maxLength={20_000}
            value={text}
            onInput={(event) => {
              setText(event.currentTarget.value);
              setSaved(false);
            }}
          />
        </label>
        <section class="preview" aria-label="Preview"><span class="soft">Preview</span><Markdown text={text} /></section>
      </div>
      {problem && <p class="notice bad" role="alert">{problem}</p>}
      <div class="row">
        <button type="button" class="primary" disabled={busy || !changed} onClick={() => void save()}>Save the instructions</button>
        {saved && <span class="good" role="status">saved</span>}
      </div>
    </section>
  );
}

interface Fields {
  wanted: string;
  perPair: string;
  repeats: string;
  golds: string;
  trust: boolean;
}

function fieldsOf({ wanted, answers_per_pair, checks }: Experiment): Fields {
  return {
    wanted: wanted === null ? "" : String(wanted),
    perPair: String(answers_per_pair),
    repeats: percent(checks?.repeat_rate ?? 0),
    golds: percent(checks?.gold_rate ?? 0),
    trust: checks?.trust ?? false,
  };
}

const percent = (rate: number) => String(Math.round(rate * 1000) / 10);

function changesOf(fields: Fields): Changes {
  return {
    wanted: fields.wanted === "" ? null : Number(fields.wanted),
    answers_per_pair: Number(fields.perPair),
    repeat_rate: Number(fields.repeats) / 100,
    gold_rate: Number(fields.golds) / 100,
    trust: fields.trust,
  };
}

function Asking({ experiment }: { experiment: Experiment }) {
  const [fields, setFields] = useState(() => fieldsOf(experiment));
  const [touched, setTouched] = useState(false);
  const [saved, setSaved] = useState(false);
  const [problem, busy, run] = useRequest();
  // What somebody else, or the command, has changed meanwhile is shown unless it is being edited here.
  useEffect(() => {
    if (!touched) setFields(fieldsOf(experiment));
  }, [experiment]);
  const set = (change: Partial<Fields>) => {
    setFields({ ...fields, ...change });
    setTouched(true);
    setSaved(false);
  };
  const save = async (event: Event) => {
    event.preventDefault();
    const done = await run(() => api.edit(experiment.id, changesOf(fields)));
    setSaved(done);
    setTouched(!done);
  };
  const number = (name: "wanted" | "perPair" | "repeats" | "golds", label: string, help: string, limits: object) => (
    <label class="field">
      {label}
      <input type="number" value={fields[name]} {...limits} onInput={(event) => set({ [name]: event.currentTarget.value })} />
      <small>{help}</small>
    </label>
  );
  return (
    <form class="card wide" onSubmit={(event) => void save(event)}>
      <h2>Asking</h2>
      <div class="fields">
      {number("wanted", "Answers wanted", "Empty: until somebody finishes. Fewer than the trainer was started with end its run.", { min: 1, max: 100_000 })}
      {number("perPair", "People per pair", "How many people answer each pair; their answers are averaged.", { min: 1, max: 100, required: true })}
      {number("repeats", "Hidden repeats, %", "Pairs a person has answered before, sides swapped. They teach the agent nothing.", { min: 0, max: 50, step: 0.1, required: true })}
      {number("golds", "Gold pairs, %", "Pairs whose answer you have set in the list of answers.", { min: 0, max: 50, step: 0.1, required: true })}
      </div>
      <label class="check">
        <input type="checkbox" checked={fields.trust} onChange={(event) => set({ trust: event.currentTarget.checked })} />
        <span>Count the answers of people who often err for less</span>
      </label>
      {problem && <p class="notice bad" role="alert">{problem}</p>}
      <div class="row">
        <button type="submit" class="primary" disabled={busy || !touched}>Save</button>
        {saved && <span class="good" role="status">saved</span>}
      </div>
    </form>
  );
}
