/** The line above the clips, and what is shown when there is nothing to answer. */

import { outbox } from "../app";
import { answersText, enough, stateOf, trainerText, whole } from "../format";
import { filming } from "../player/films";
import { link } from "../route";
import type { Experiment } from "../types";
import { Meter } from "./List";

const LATE = "That answer came late: its pair was not lent to you any more. It is kept.";

interface ProgressProps {
  experiment: Experiment | null;
  /** Something is wrong: said in the trainer's place, so that the clips do not move. */
  trouble: string;
  /** An answer has just come late. */
  late: boolean;
}

export function Progress({ experiment, trouble, late }: ProgressProps) {
  return (
    <div class="progress" data-testid="progress">
      {experiment && <Figures experiment={experiment} />}
      {trouble ? (
        <span class="trainer trouble" role="alert">{trouble}</span>
      ) : (
        <span class="soft trainer">{experiment && !late && trainerText(experiment.run)}{late && LATE}</span>
      )}
      <span class="sr-only" role="status">{late && LATE}</span>
    </div>
  );
}

/** Answers given, wanted and asked, and how fast they come. */
function Figures({ experiment }: { experiment: Experiment }) {
  const { counts, answers_per_minute: pace, wanted } = experiment;
  const undecided = wanted === null ? 0 : counts.answered - counts.decided;
  const told = undecided > 0 ? [`${whole(undecided)} can't tell`] : [];
  const rest = [...told, `${whole(counts.asked)} asked`, ...(pace > 0 ? [`${pace.toFixed(1)} per minute`] : [])];
  return (
    <>
      <Meter experiment={experiment} />
      <span class="strong">{answersText(experiment)}</span>
      <span class="soft">{rest.join(" · ")}</span>
    </>
  );
}

interface Props {
  experiment: Experiment | null;
  /** Whether the server has been asked for questions yet. */
  asked: boolean;
  /** The person ended the trainer, and the server has gone with it. */
  gone: boolean;
  /** The server cannot be asked just now, or refuses. */
  away: boolean;
}

export function Waiting({ experiment, asked, gone, away }: Props) {
  if (gone) return <Gone />;
  if (away) return <Away />;
  if (filming.value) {
    return (
      <div class="quiet" role="status" data-testid="filming">
        <span class="pulse" aria-hidden="true" />
        <p>{filming.value}</p>
      </div>
    );
  }
  if (!experiment || !asked) {
    return (
      <div class="quiet" role="status">
        <p class="soft">Fetching the first clips…</p>
        <a class="button" href="#/">All experiments</a>
      </div>
    );
  }
  const { run } = experiment;
  const finished = experiment.status === "finished" || run?.status === "finished";
  const { title, lines, hint } = finished ? FINISHED : enough(experiment) ? allGiven(experiment) : nothingOpen(experiment);
  return (
    <div class="quiet" data-testid="waiting">
      {!finished && <span class={`pulse ${stateOf(experiment).tone}`} aria-hidden="true" />}
      <h2 aria-live="polite">{title}</h2>
      {lines.map((line) => <p key={line}>{line}</p>)}
      {hint && <p class="soft">{hint}</p>}
      <div class="row">
        {run && <a class="button primary" href={link("watch", run.name)}>Watch the agent</a>}
        <a class="button" href={link("answers", experiment.id)}>Answers</a>
        <a class="button" href="#/">All experiments</a>
      </div>
    </div>
  );
}

interface Quiet {
  title: string;
  lines: string[];
  hint: string;
}

const FINISHED: Quiet = { title: "Teaching is finished", lines: ["Every answer is kept. Thank you!"], hint: "" };

function allGiven({ run, wanted }: Experiment): Quiet {
  const title = wanted === 1 ? "The answer is given" : `All ${whole(wanted!)} answers are given`;
  return { title, lines: ["Thank you!", trainerText(run)], hint: "Should more be wanted, the next pair appears here by itself." };
}

function nothingOpen({ run }: Experiment): Quiet {
  const hint = "New clips appear here by themselves as soon as the agent has something to show.";
  return { title: "No question is open right now", lines: [trainerText(run)], hint };
}

/** Nobody knows whether a question is open; the line above says what is wrong. */
function Away() {
  const { state } = outbox.delivery.value;
  return (
    <div class="quiet" data-testid="waiting">
      <span class="pulse bad" aria-hidden="true" />
      <h2 aria-live="polite">The next pair cannot be fetched just now</h2>
      <p>{state === "saved" ? "All your answers are saved." : "Your answers are kept here, and are sent as soon as that is possible."}</p>
      <p class="soft">This page tries again every second and goes on by itself.</p>
      <a class="button" href="#/">All experiments</a>
    </div>
  );
}

/** After the end: nothing can be fetched any more, so there are no ways on but one. */
function Gone() {
  return (
    <div class="quiet" data-testid="waiting">
      <h2 aria-live="polite">Teaching is finished</h2>
      <p>The trainer has ended, and this page's server with it. Every answer and the agent are saved.</p>
      <p class="soft">To look at answers and replays again, start the page in a terminal:</p>
      <pre>rl-teacher serve</pre>
    </div>
  );
}
