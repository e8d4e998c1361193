/** All experiments of this server. */

import { api } from "../api";
import { answersText, stateOf, trainerText, whole } from "../format";
import { useFetched } from "../hooks";
import { link } from "../route";
import type { Experiment, Session } from "../types";
import { InviteButton } from "./Invite";
import { Shell } from "./Shell";

export function List({ session }: { session: Session }) {
  const { value: experiments, problem } = useFetched(api.experiments, 3000, "list");
  return (
    <Shell title="Experiments" tools={isResearcher(session) && <InviteButton experiment={null} />}>
      {problem && <p class="notice bad" role="alert">{problem}</p>}
      {experiments?.length === 0 && <Nothing />}
      <ul class="cards">
        {experiments?.map((experiment) => (
          <Card key={experiment.id} experiment={experiment} session={session} />
        ))}
      </ul>
    </Shell>
  );
}

function Nothing() {
  return (
    <div class="quiet">
      <h2>Nothing to teach yet</h2>
      <p>Start an experiment in a terminal; it appears here by itself:</p>
      <pre>python rl_teacher/teach.py -p human -e Reacher-v1 -n my-first</pre>
    </div>
  );
}

function Card({ experiment, session }: { experiment: Experiment; session: Session }) {
  const { id, name, env_id, run, counts } = experiment;
  const { word, tone } = stateOf(experiment);
  const forPeople = !run || run.predictor === "human";
  const over = experiment.status === "finished";
  return (
    <li class="card" data-testid="experiment">
      <div class="card-head">
        <h2>{name}</h2>
        <span class={`tag ${tone}`}>{word}</span>
      </div>
      <p class="soft">{env_id}</p>
      {forPeople && <Meter experiment={experiment} />}
      <p class="soft">
        {forPeople
          ? `${answersText(experiment)} · ${whole(counts.asked)} asked${over ? "" : ` · ${whole(counts.open)} open`}`
          : run.predictor === "rl" ? "learns from the true reward" : "learns from a synthetic teacher"}
      </p>
      <p>{trainerText(run)}</p>
      <nav class="row" aria-label={name}>
        {forPeople && <a class={over ? "button" : "button primary"} href={link("teach", id)}>Teach</a>}
        {forPeople && <a class="button" href={link("answers", id)}>Answers</a>}
        {forPeople && isResearcher(session) && <a class="button" href={link("people", id)}>People</a>}
        {isResearcher(session) && <a class="button" href={link("settings", id)}>Settings</a>}
        {run && <a class={over ? "button primary" : "button"} href={link("watch", run.name)}>Watch</a>}
      </nav>
    </li>
  );
}

/** Who may look at everybody's answers and change settings. */
export function isResearcher(session: Session): boolean {
  return session.role !== "labeller";
}

/** How much of what is wanted has been answered; nothing where no number was asked for. */
export function Meter({ experiment: { counts, wanted } }: { experiment: Experiment }) {
  if (!wanted) return null;
  return <progress max={wanted} value={Math.min(counts.decided, wanted)} aria-label="answers given" />;
}
