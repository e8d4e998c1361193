/** What r̂ likes best and least of what the agent did lately. */

import { commonRange, StripView } from "../charts/StripView";
import { whole } from "../format";
import type { RatedClip } from "./types";
import { useInsight } from "./ask";
import { MiniClip } from "./MiniClip";
import { Panel, useNearness } from "./Panel";

export function BestWorstPanel({ experiment, run }: { experiment: string; run: string }) {
  const [near, setNear] = useNearness();
  const asked = useInsight(experiment, { kind: "best_worst", run }, near);
  const { value } = asked;
  const range = value ? commonRange([...value.best, ...value.worst]) : undefined;
  return (
    <Panel id="best-worst" title="Best and worst recent clips" near={setNear} asked={asked}
      what={value
        ? `After r̂, out of ${whole(value.n)} clips ${value.answered ? "of questions answered lately" : "of what the agent did last"}. If you would not choose the same, answer more.`
        : "After r̂. If you would not choose the same, answer more."}>
      {value && range && (
        <div class="best-worst">
          <Rated title="r̂ likes best" clips={value.best} range={range} />
          <Rated title="r̂ likes least" clips={value.worst} range={range} />
        </div>
      )}
    </Panel>
  );
}

function Rated({ title, clips, range }: { title: string; clips: RatedClip[]; range: [number, number] }) {
  return (
    <div>
      <h3>{title}</h3>
      <ol class="rated">
        {clips.map((rated, i) => (
          <li key={rated.clip.clip_id} data-testid="rated">
            <MiniClip clip={rated.clip} name={`clip ${i + 1} that ${title}`} />
            <StripView strip={rated} range={range} name={`clip ${i + 1}`} />
            <small class="soft">step {whole(rated.step)}</small>
          </li>
        ))}
      </ol>
    </div>
  );
}
