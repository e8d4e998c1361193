/** The line above the clips, and what is shown when there is nothing to answer. */

import { answersText, stateOf, trainerText } from "../format";
import { filming } from "../player/films";
import { link } from "../route";
import type { Teaching } from "../teaching";
import type { Experiment } from "../types";
import { Tool } from "./Buttons";
import { Meter } from "./List";

export function Progress({ experiment }: { experiment: Experiment }) {
  const pace = experiment.answers_per_minute;
  return (
    <div class="progress" data-testid="progress">
      <Meter experiment={experiment} />
      <span class="strong">{answersText(experiment)}</span>
      {pace > 0 && <span class="soft">{pace.toFixed(1)} per minute</span>}
      <span class="soft trainer">{trainerText(experiment.run)}</span>
    </div>
  );
}

interface Props {
  experiment: Experiment | null;
  /** Whether the server has been asked for questions yet. */
  asked: boolean;
  teaching: Teaching;
}

export function Waiting({ experiment, asked, teaching }: Props) {
  if (filming.value) {
    return (
      <div class="quiet" role="status" data-testid="filming">
        <span class="pulse" aria-hidden="true" />
        <p>{filming.value}</p>
      </div>
    );
  }
  if (!experiment || !asked) return <div class="quiet" role="status"><p class="soft">Fetching the first clips…</p></div>;
  const finished = experiment.status === "finished" || experiment.run?.status === "finished";
  const { run } = experiment;
  return (
    <div class="quiet" data-testid="waiting">
      {!finished && <span class={`pulse ${stateOf(experiment).tone}`} aria-hidden="true" />}
      <h2>{finished ? "Teaching is finished" : "No question is open right now"}</h2>
      <p>{trainerText(run)}</p>
      {!finished && <p class="soft">New clips appear here by themselves as soon as the agent has something to show.</p>}
      <div class="row">
        {run && <a class="button primary" href={link("watch", run.name)}>Watch the agent</a>}
        <a class="button" href={link("answers", experiment.id)}>Answers</a>
        <a class="button" href="#/">All experiments</a>
        <Tool press={() => teaching.undo("tap")} keys="Bksp" shortcut="Backspace" off={teaching.undoable.value === 0}>
          Undo
        </Tool>
      </div>
    </div>
  );
}
