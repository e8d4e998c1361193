/** What of the list of answers is shown. */

import { useEffect, useState } from "preact/hooks";

import { api } from "../api";
import type { AnswerFilter, Person } from "../types";

export const NO_FILTER: AnswerFilter = { labeller: "", verdict: "", run: "", why: "", disputed: false, kind: "" };

const VERDICTS = [
  ["", "any answer"], ["LEFT", "left is better"], ["RIGHT", "right is better"], ["TIE", "equally good"],
  ["ABSTAIN", "can't tell"], ["WITHDRAWN", "taken back"],
] as const;
const KINDS = [["", "all pairs"], ["question", "questions"], ["repeat", "hidden repeats"], ["gold", "gold tests"]] as const;
const TYPING_MS = 300;

interface Props {
  experiment: string;
  only: AnswerFilter;
  set: (only: AnswerFilter) => void;
}

export function Filters({ experiment, only, set }: Props) {
  const [people, setPeople] = useState<Person[]>([]);
  useEffect(() => {
    api.people(experiment).then((found) => setPeople(found.people), () => undefined);
  }, [experiment]);
  const by = (change: Partial<AnswerFilter>) => set({ ...only, ...change });
  return (
    <search class="filters" aria-label="Which answers to show">
      <select aria-label="Person" value={only.labeller} onChange={(event) => by({ labeller: event.currentTarget.value })}>
        <option value="">everybody</option>
        {people.map((person) => <option key={person.labeller_id} value={person.labeller_id}>{person.name}</option>)}
      </select>
      <Choice label="Answer" options={VERDICTS} value={only.verdict} set={(verdict) => by({ verdict })} />
      <Choice label="Kind of pair" options={KINDS} value={only.kind} set={(kind) => by({ kind })} />
      <Typed label="Run" value={only.run} set={(run) => by({ run })} />
      <Typed label="Why asked" value={only.why} set={(why) => by({ why })} />
      <label class="check">
        <input type="checkbox" checked={only.disputed} onChange={(event) => by({ disputed: event.currentTarget.checked })} />
        <span>only disputed</span>
      </label>
      {Object.values(only).some(Boolean) && <button type="button" class="small" onClick={() => set(NO_FILTER)}>Show all</button>}
      <a class="button small" href={api.exportUrl(experiment, "csv")} download>Export CSV</a>
    </search>
  );
}

interface ChoiceProps<T extends string> {
  label: string;
  options: readonly (readonly [T, string])[];
  value: T;
  set: (value: T) => void;
}

function Choice<T extends string>({ label, options, value, set }: ChoiceProps<T>) {
  return (
    <select aria-label={label} value={value} onChange={(event) => set(event.currentTarget.value as T)}>
      {options.map(([name, text]) => <option key={name} value={name}>{text}</option>)}
    </select>
  );
}

/** Text that counts once nothing has been typed for a moment. */
function Typed({ label, value, set }: { label: string; value: string; set: (text: string) => void }) {
  const [text, setText] = useState(value);
  useEffect(() => setText(value), [value]);
  useEffect(() => {
    if (text === value) return;
    const timer = window.setTimeout(() => set(text), TYPING_MS);
    return () => window.clearTimeout(timer);
  }, [text]);
  return <input aria-label={label} placeholder={label} value={text} maxLength={100} onInput={(event) => setText(event.currentTarget.value)} />;
}
