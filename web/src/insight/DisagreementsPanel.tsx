/** Answers that r̂ disagrees with most: kept or corrected with one click. */

import { useState } from "preact/hooks";

import { outbox } from "../app";
import { percent } from "../charts/scale";
import { ago, verdictText, whole } from "../format";
import { uuid } from "../ids";
import { rendererOf } from "../player/poses";
import { MiniPair } from "../screens/MiniPair";
import type { Disagreement } from "./types";
import type { LabelOut, Session } from "../types";
import { useInsight } from "./ask";
import { Panel, useNearness } from "./Panel";

/** Shown at once; the others come as these are dealt with. */
const SHOWN = 3;

export function DisagreementsPanel({ experiment, run, session }: { experiment: string; run: string; session: Session }) {
  const [near, setNear] = useNearness();
  const asked = useInsight(experiment, { kind: "disagreements", run }, near);
  const [done, setDone] = useState<ReadonlyMap<number, string>>(new Map());
  const rows = asked.value?.answers ?? [];
  const left = rows.filter(({ seq }) => !done.has(seq));
  const said = rows.filter(({ seq }) => done.has(seq)).length;
  const settle = (row: Disagreement, label: LabelOut, line: string) => {
    outbox.put(experiment, label);
    setDone(new Map(done).set(row.seq, line));
  };
  const newest = [...done.values()].pop();
  return (
    <Panel id="disagreements" title="You said one thing, r̂ says another" near={setNear} asked={asked}
      what="The answers that r̂ finds least likely, judged by those of its members that did not learn from them. A slip is put right with one click; what you meant, r̂ has yet to learn.">
      {asked.value && (
        <p role="status" class="soft">
          {newest && `${newest} `}
          {left.length === 0
            ? `${said ? "That was all." : `None of ${whole(asked.value.n)} answers.`}`
            : `${whole(left.length)} of ${whole(asked.value.n)} answers.`}
        </p>
      )}
      <ol class="answer-list">
        {left.slice(0, SHOWN).map((row) => (
          <Row key={row.seq} row={row} mine={row.labeller.id === session.labeller?.id} settle={settle} />
        ))}
      </ol>
    </Panel>
  );
}

interface RowProps {
  row: Disagreement;
  mine: boolean;
  settle: (row: Disagreement, label: LabelOut, line: string) => void;
}

function Row({ row, mine, settle }: RowProps) {
  const other = row.verdict === "LEFT" ? ("RIGHT" as const) : ("LEFT" as const);
  const otherText = verdictText({ verdict: other, strength: "PLAIN" });
  const side = (verdict: string) => (verdict === "LEFT" ? "left" : "right");
  return (
    <li class="answer-row" data-testid="disagreement">
      <MiniPair left={row.left} right={row.right} better={row.verdict === "LEFT" ? "LEFT" : "RIGHT"} />
      <div class="said">
        <p class="strong">
          {mine ? "You" : row.labeller.name} said {side(row.verdict)}, r̂ says {side(other)}: check?
        </p>
        <p class="soft">
          r̂ gives “{verdictText(row)}” {percent(row.p)} · {ago(row.given_at, Date.now() / 1000)} · after{" "}
          {row.seconds.toFixed(1)} s
        </p>
        {mine && (
          <div class="row" role="group" aria-label="Your answer">
            <button type="button" class="small" onClick={() => settle(row, again(row, row.verdict, "kept"), "Kept.")}>
              Keep: {side(row.verdict)}
            </button>
            <button type="button" class="small"
              onClick={() => settle(row, again(row, other, "corrected"), `Corrected: ${otherText.toLowerCase()}.`)}>
              Correct: {side(other)}
            </button>
          </div>
        )}
      </div>
    </li>
  );
}

/** A new answer to the same question: what is kept keeps its strength and is not brought up again. */
function again(row: Disagreement, verdict: LabelOut["verdict"], key: "kept" | "corrected"): LabelOut {
  return {
    id: uuid(),
    query_id: row.query_id,
    lease: null,
    verdict,
    strength: key === "kept" ? row.strength : "PLAIN",
    seconds: 0,
    key,
    swapped: false,
    renderer: rendererOf(row.left),
  };
}
