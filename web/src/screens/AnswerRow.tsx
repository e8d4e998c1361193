/** One answer of the list, and what may be done about it. */

import { useState } from "preact/hooks";

import { outbox, signedOut } from "../app";
import { api } from "../api";
import { ago, verdictText, whole } from "../format";
import { uuid } from "../ids";
import { PairStrips } from "../insight/PairStrips";
import { rendererOf } from "../player/poses";
import type { LabelRow, Session, Verdict } from "../types";
import { isResearcher } from "./List";
import { MiniPair } from "./MiniPair";

const CHOICES: { verdict: Verdict; text: string }[] = [
  { verdict: "LEFT", text: "← Left is better" },
  { verdict: "TIE", text: "↑ Equally good" },
  { verdict: "ABSTAIN", text: "↓ Can't tell" },
  { verdict: "RIGHT", text: "→ Right is better" },
  { verdict: "WITHDRAWN", text: "Take it back" },
];
const KINDS = { question: "", repeat: "hidden repeat", gold: "gold test" };

interface Props {
  row: LabelRow;
  experiment: string;
  session: Session;
  /** Called when something that the list shows was changed here. */
  changed: () => void;
}

export function Row({ row, experiment, session, changed }: Props) {
  const [doing, setDoing] = useState<"change" | "gold" | null>(null);
  const [asking, setAsking] = useState(false);
  const [problem, setProblem] = useState("");
  const mine = row.labeller.id === session.labeller?.id;
  const corrects = isResearcher(session) && row.kind === "question" && (!mine || row.overrules) && session.labeller !== null;
  const better = row.verdict === "LEFT" || row.verdict === "RIGHT" ? row.verdict : null;
  const attempt = async (task: () => Promise<unknown>) => {
    setDoing(null);
    try {
      await task();
      changed();
    } catch (error) {
      if (!signedOut(error)) setProblem((error as Error).message);
    }
  };
  const change = (verdict: Verdict) => {
    if (corrects) return void attempt(() => api.correct({ id: uuid(), query_id: row.query_id, verdict }));
    outbox.put(experiment, revised(row, verdict));
    setDoing(null);
  };
  const mayBeGold = isResearcher(session) && row.kind === "question" && row.verdict !== "WITHDRAWN";
  return (
    <li class={row.superseded ? "answer-row old" : "answer-row"} data-testid="answer" data-verdict={row.verdict}>
      <MiniPair left={row.left} right={row.right} better={better} />
      <div class="said">
        <p class="strong">{verdictText(row)} <Tags row={row} /></p>
        <p class="soft">{details(row, mine)}</p>
        {problem && <p class="notice bad" role="alert">{problem}</p>}
        {!row.superseded && doing === null && (
          <div class="row">
            {(mine || corrects) && (
              <button type="button" class="small" onClick={() => setDoing("change")}>{mine ? "Change" : "Correct"}</button>
            )}
            {mayBeGold && (
              <button type="button" class="small plain" onClick={() => setDoing("gold")}>
                {row.gold ? "Gold pair…" : "Make it a gold pair…"}
              </button>
            )}
            {isResearcher(session) && row.verdict !== "WITHDRAWN" && (
              <button type="button" class="small plain" aria-pressed={asking} onClick={() => setAsking(!asking)}>
                What r̂ says
              </button>
            )}
          </div>
        )}
        {asking && <PairStrips experiment={experiment} query={row.query_id} />}
        {doing === "change" && (
          <Choices label="Change the answer to" not={row.verdict} leave={() => setDoing(null)} choose={change}
            withdraw={mine} />
        )}
        {doing === "gold" && (
          <Gold row={row} leave={() => setDoing(null)} choose={(verdict) => void attempt(() => api.gold(row.query_id, verdict))} />
        )}
      </div>
    </li>
  );
}

function Tags({ row }: { row: LabelRow }) {
  return (
    <>
      {row.superseded && <span class="tag idle">changed later</span>}
      {row.late && <span class="tag idle">came late</span>}
      {row.overrules && <span class="tag good">correction</span>}
      {KINDS[row.kind] && <span class="tag idle">{KINDS[row.kind]}</span>}
      {row.gold && <span class="tag good">gold: {verdictText({ verdict: row.gold, strength: "PLAIN" }).toLowerCase()}</span>}
    </>
  );
}

interface ChoicesProps {
  label: string;
  not: Verdict;
  withdraw: boolean;
  choose: (verdict: Verdict) => void;
  leave: () => void;
}

function Choices({ label, not, withdraw, choose, leave }: ChoicesProps) {
  const offered = CHOICES.filter(({ verdict }) => verdict !== not && (withdraw || verdict !== "WITHDRAWN"));
  return (
    <div class="row" role="group" aria-label={label}>
      {offered.map(({ verdict, text }) => (
        <button type="button" class="small" key={verdict} onClick={() => choose(verdict)}>{text}</button>
      ))}
      <button type="button" class="small plain" onClick={leave}>Leave it</button>
    </div>
  );
}

function Gold({ row, choose, leave }: { row: LabelRow; choose: (verdict: Verdict | null) => void; leave: () => void }) {
  const sides = CHOICES.filter(({ verdict }) => verdict === "LEFT" || verdict === "TIE" || verdict === "RIGHT");
  return (
    <div class="row" role="group" aria-label="The answer expected of this pair">
      <span class="soft">Expected:</span>
      {sides.map(({ verdict, text }) => (
        <button type="button" class="small" key={verdict} aria-pressed={row.gold === verdict} onClick={() => choose(verdict)}>
          {text}
        </button>
      ))}
      {row.gold && <button type="button" class="small" onClick={() => choose(null)}>Not gold any more</button>}
      <button type="button" class="small plain" onClick={leave}>Leave it</button>
    </div>
  );
}

/** When, how fast, by whom, and why the pair was asked. */
function details(row: LabelRow, mine: boolean): string {
  const parts = [ago(row.given_at, Date.now() / 1000)];
  if (row.verdict !== "WITHDRAWN" && row.seconds > 0) parts.push(`after ${row.seconds.toFixed(1)} s`);
  if (!mine) parts.push(`by ${row.labeller.name}`);
  parts.push(`asked by ${row.run} at step ${whole(row.step)}`);
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
