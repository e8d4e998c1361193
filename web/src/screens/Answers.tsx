/** The list of answers, newest first, each of which can be looked at again, changed or taken back. */

import { useEffect, useState } from "preact/hooks";

import { freshCounts, outbox, signedOut } from "../app";
import { api } from "../api";
import { ago, verdictText, whole } from "../format";
import { uuid } from "../ids";
import { PairStrips } from "../insight/PairStrips";
import { rendererOf } from "../player/poses";
import { link } from "../route";
import type { LabelRow, Session, Verdict } from "../types";
import { MiniPair } from "./MiniPair";
import { Shell } from "./Shell";

const PAGE = 20;

export function Answers({ id, session }: { id: string; session: Session }) {
  const [rows, setRows] = useState<LabelRow[] | null>(null);
  const [more, setMore] = useState(false);
  const [problem, setProblem] = useState("");
  const [name, setName] = useState("");

  const load = async (before: number | null, n: number) => {
    try {
      const found = await api.labels(id, before, n);
      setRows((old) => (before === null ? found : [...(old ?? []), ...found]));
      setMore(found.length === n);
      setProblem("");
    } catch (error) {
      if (!signedOut(error)) setProblem((error as Error).message);
    }
  };
  useEffect(() => {
    api.experiment(id).then((experiment) => setName(experiment.name), () => undefined);
  }, [id]);
  // Again after each answer the server has taken, as many as are shown now.
  useEffect(() => void load(null, Math.max(PAGE, rows?.length ?? 0)), [id, freshCounts.value]);

  const last = rows?.[rows.length - 1];
  return (
    <Shell title={name ? `Answers · ${name}` : "Answers"} tools={<a class="button" href={link("teach", id)}>Teach</a>}>
      {problem && <p class="notice bad" role="alert">{problem}</p>}
      {rows?.length === 0 && <Nothing id={id} />}
      <ol class="answer-list">
        {rows?.map((row) => <Row key={row.seq} row={row} experiment={id} mine={row.labeller.id === session.labeller?.id} asks={session.role !== "labeller"} />)}
      </ol>
      {more && last && (
        <div class="row">
          <button type="button" onClick={() => void load(last.seq, PAGE)}>Load more</button>
        </div>
      )}
    </Shell>
  );
}

function Nothing({ id }: { id: string }) {
  return (
    <div class="quiet">
      <h2>No answer yet</h2>
      <p><a href={link("teach", id)}>Start teaching</a>, and every answer appears here.</p>
    </div>
  );
}

const CHOICES: { verdict: Verdict; text: string }[] = [
  { verdict: "LEFT", text: "← Left is better" },
  { verdict: "TIE", text: "↑ Equally good" },
  { verdict: "ABSTAIN", text: "↓ Can't tell" },
  { verdict: "RIGHT", text: "→ Right is better" },
  { verdict: "WITHDRAWN", text: "Take it back" },
];

interface RowProps {
  row: LabelRow;
  experiment: string;
  mine: boolean;
  /** Whether this person may see what r̂ says. */
  asks: boolean;
}

function Row({ row, experiment, mine, asks }: RowProps) {
  const [asking, setAsking] = useState(false);
  const [changing, setChanging] = useState(false);
  const better = row.verdict === "LEFT" || row.verdict === "RIGHT" ? row.verdict : null;
  const change = (verdict: Verdict) => {
    outbox.put(experiment, revised(row, verdict));
    setChanging(false);
  };
  return (
    <li class={row.superseded ? "answer-row old" : "answer-row"} data-testid="answer" data-verdict={row.verdict}>
      <MiniPair left={row.left} right={row.right} better={better} />
      <div class="said">
        <p class="strong">
          {verdictText(row)} {row.superseded && <span class="tag idle">changed later</span>}
          {row.late && <span class="tag idle">came late</span>}
        </p>
        <p class="soft">{details(row, mine)}</p>
        <div class="row">
          {mine && !row.superseded && !changing && (
            <button type="button" class="small" onClick={() => setChanging(true)}>Change</button>
          )}
          {asks && row.verdict !== "WITHDRAWN" && !row.superseded && (
            <button type="button" class="small" aria-pressed={asking} onClick={() => setAsking(!asking)}>What r̂ says</button>
          )}
        </div>
        {asking && <PairStrips experiment={experiment} query={row.query_id} />}
        {changing && (
          <div class="row" role="group" aria-label="Change the answer to">
            {CHOICES.filter(({ verdict }) => verdict !== row.verdict).map(({ verdict, text }) => (
              <button type="button" class="small" key={verdict} onClick={() => change(verdict)}>{text}</button>
            ))}
            <button type="button" class="small plain" onClick={() => setChanging(false)}>Leave it</button>
          </div>
        )}
      </div>
    </li>
  );
}

/** When, how fast, by whom, and why the pair was asked. */
function details(row: LabelRow, mine: boolean): string {
  const parts = [ago(row.given_at, Date.now() / 1000)];
  if (row.verdict !== "WITHDRAWN") parts.push(`after ${row.seconds.toFixed(1)} s`);
  if (!mine) parts.push(`by ${row.labeller.name}`);
  parts.push(`asked at step ${whole(row.step)}`);
  if (row.why) parts.push(`why: ${row.why}`);
  return parts.join(" · ");
}

/** The list shows the query's own sides, so nothing is swapped here. */
function revised(row: LabelRow, verdict: Verdict) {
  return {
    id: uuid(),
    query_id: row.query_id,
    lease: null,
    verdict,
    strength: "PLAIN" as const,
    seconds: 0,
    key: "list",
    swapped: false,
    renderer: rendererOf(row.left),
  };
}
