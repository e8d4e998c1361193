/** The list of answers, newest first: looked at again, changed or taken back; by researchers narrowed and corrected. */

import { useEffect, useState } from "preact/hooks";

import { freshCounts, signedOut } from "../app";
import { api, ApiError } from "../api";
import { link, queryOf } from "../route";
import type { AnswerFilter, Experiment, LabelRow, Session } from "../types";
import { Row } from "./AnswerRow";
import { Filters, NO_FILTER } from "./Filters";
import { InviteButton } from "./Invite";
import { isResearcher } from "./List";
import { Missing } from "./Missing";
import { Shell } from "./Shell";
import { Tabs } from "./Tabs";

const PAGE = 20;

export function Answers({ id, session }: { id: string; session: Session }) {
  const researcher = isResearcher(session);
  const [only, setOnly] = useState<AnswerFilter>(() => ({ ...NO_FILTER, labeller: queryOf(location.hash).get("labeller") ?? "" }));
  const [rows, setRows] = useState<LabelRow[] | null>(null);
  const [more, setMore] = useState(false);
  const [missing, setMissing] = useState(false);
  const [problem, setProblem] = useState("");
  const [experiment, setExperiment] = useState<Experiment | null>(null);

  const load = async (before: number | null, n: number) => {
    try {
      const found = await api.labels(id, before, n, only);
      setRows((old) => (before === null ? found : [...(old ?? []), ...found]));
      setMore(found.length === n);
      setProblem("");
    } catch (error) {
      if (!signedOut(error)) setProblem((error as Error).message);
    }
  };
  const again = () => void load(null, Math.max(PAGE, rows?.length ?? 0));
  useEffect(() => {
    api.experiment(id).then(setExperiment, (error) => setMissing(error instanceof ApiError && error.status === 404));
  }, [id]);
  // Again after each answer the server has taken, as many as are shown now.
  useEffect(again, [id, freshCounts.value]);
  useEffect(() => void load(null, PAGE), [only]);

  const last = rows?.[rows.length - 1];
  const tools = researcher ? <InviteButton experiment={id} /> : <a class="button" href={link("teach", id)}>Teach</a>;
  if (missing) return <Missing message={problem} />;
  return (
    <Shell title={experiment ? `Answers · ${experiment.name}` : "Answers"} tools={tools}>
      {researcher && <Tabs id={id} here="answers" run={experiment?.run} />}
      {researcher && <Filters experiment={id} only={only} set={setOnly} />}
      {problem && <p class="notice bad" role="alert">{problem}</p>}
      {rows?.length === 0 && <Nothing id={id} narrowed={only !== NO_FILTER && Object.values(only).some(Boolean)} />}
      <ol class="answer-list">
        {rows?.map((row) => <Row key={row.seq} row={row} experiment={id} session={session} changed={again} />)}
      </ol>
      {more && last && (
        <div class="row">
          <button type="button" onClick={() => void load(last.seq, PAGE)}>Load more</button>
        </div>
      )}
    </Shell>
  );
}

function Nothing({ id, narrowed }: { id: string; narrowed: boolean }) {
  if (narrowed) return <div class="quiet"><h2>No answer is like that</h2><p>Choose less above.</p></div>;
  return (
    <div class="quiet">
      <h2>No answer yet</h2>
      <p><a href={link("teach", id)}>Start teaching</a>, and every answer appears here.</p>
    </div>
  );
}
