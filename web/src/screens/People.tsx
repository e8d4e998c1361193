/** How well everybody answers: one row a person. docs/people.md says how the figures are made. */

import { api } from "../api";
import { ago, share, whole } from "../format";
import { useFetched } from "../hooks";
import { link } from "../route";
import type { People as Everybody, Person } from "../types";
import { InviteButton } from "./Invite";
import { Missing } from "./Missing";
import { Shell } from "./Shell";
import { Tabs } from "./Tabs";

export function People({ id }: { id: string }) {
  const { value: experiment, missing } = useFetched(() => api.experiment(id), 10_000, id);
  const { value: found, problem } = useFetched(() => api.people(id), 10_000, id);
  if (missing) return <Missing message={problem} />;
  return (
    <Shell title={experiment ? `People · ${experiment.name}` : "People"} tools={<InviteButton experiment={id} />}>
      <Tabs id={id} here="people" run={experiment?.run} />
      {problem && <p class="notice bad" role="alert">{problem}</p>}
      {found?.people.length === 0 && (
        <div class="quiet">
          <h2>Nobody has answered yet</h2>
          <p>Invite people with a link: they give a name and begin.</p>
        </div>
      )}
      {found && found.people.length > 0 && <Table found={found} experiment={id} />}
    </Shell>
  );
}

const COLUMNS: [string, string][] = [
  ["Answers", "Questions answered; those that only test somebody are not counted"],
  ["Per minute", "While answering: breaks of more than a minute are left out"],
  ["Seconds", "Median time from seeing a pair to answering it"],
  ["Says the same again", "Share of hidden repeats answered like the first time"],
  ["Gold right", "Share of pairs with a known answer that were answered so"],
  ["Agrees with others", "Krippendorff’s α: 1 is always, 0 is as by chance"],
  ["Chooses left", "Share of choices that were on the left of the screen; 50 % is expected"],
  ["Errs", "Estimated share of wrong answers, from repeats, gold pairs and others’ answers"],
];

function Table({ found, experiment }: { found: Everybody; experiment: string }) {
  return (
    <>
      <p class="soft">
        {found.alpha === null
          ? "No agreement can be told yet: it needs pairs that several people have answered."
          : `Agreement of all on the same pairs: Krippendorff’s α = ${found.alpha.toFixed(2)} (1 is always, 0 is as by chance).`}
      </p>
      <div class="scroll" tabIndex={0} role="region" aria-label="Figures of each person">
        <table class="figures">
          <thead>
            <tr>
              <th scope="col">Name</th>
              {COLUMNS.map(([name, meaning]) => <th scope="col" key={name} title={meaning}>{name}</th>)}
            </tr>
          </thead>
          <tbody>
            {found.people.map((person) => <Row key={person.labeller_id} person={person} experiment={experiment} />)}
          </tbody>
        </table>
      </div>
      <dl class="legend">
        {COLUMNS.map(([name, meaning]) => (
          <div key={name}><dt>{name}</dt><dd>{meaning}.</dd></div>
        ))}
      </dl>
    </>
  );
}

function Row({ person, experiment }: { person: Person; experiment: string }) {
  const [low, high] = person.screen_left_interval;
  const leans = person.n_sided > 0 && (low > 0.5 || high < 0.5);
  return (
    <tr data-testid="person">
      <th scope="row">
        <a href={`${link("answers", experiment)}?labeller=${person.labeller_id}`}>{person.name}</a>
        <small>{ago(person.last_at, Date.now() / 1000)}</small>
      </th>
      <td>{whole(person.n_answers)}</td>
      <td>{person.per_minute === null ? "–" : person.per_minute.toFixed(1)}</td>
      <td>{person.median_seconds === null ? "–" : person.median_seconds.toFixed(1)}</td>
      <td>{share(person.consistency)} <small>of {person.n_repeats}</small></td>
      <td>{share(person.gold_accuracy)} <small>of {person.n_golds}</small></td>
      <td>{person.alpha === null ? "–" : person.alpha.toFixed(2)} <small>on {person.n_shared}</small></td>
      <td class={leans ? "warn" : ""}>
        {share(person.screen_left)} <small>{share(low)} to {share(high)}{leans ? ", leans" : ""}</small>
      </td>
      <td>{share(person.wrong_share)}</td>
    </tr>
  );
}
