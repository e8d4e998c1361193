/** How a run goes: curves against steps or answers, and the alarm. */

import { useMemo, useState } from "preact/hooks";

import { api } from "../api";
import { Chart } from "../charts/Chart";
import { percent, short } from "../charts/scale";
import { useFetched } from "../hooks";
import type { Curves } from "./types";
import { Panel } from "./Panel";

const POLL_MS = 3000;
type Against = "steps" | "answers";

export function CurvesPanel({ experiment, run }: { experiment: string; run: string }) {
  const { value, problem } = useFetched(() => api.curves(experiment, run), POLL_MS, `${experiment}/${run}`);
  const [against, setAgainst] = useState<Against>("steps");
  const taught = value !== null && value.predictor !== "rl";
  return (
    <>
      {value?.alarm && <p class="notice bad" role="alert" data-testid="alarm">{value.alarm.line}</p>}
      <Panel id="curves" title="How it goes" what={taught
        ? "r̂ is what the agent learns to please. Accuracy: how often r̂ agrees with answers it has not learned from."
        : "What the agent earns while it learns, and in evaluations."}>
        {problem && <p class="notice bad" role="alert">{problem}</p>}
        {taught && (
          <div class="row" role="group" aria-label="Curves against">
            {(["steps", "answers"] as const).map((one) => (
              <button type="button" class="small" key={one} aria-pressed={against === one} onClick={() => setAgainst(one)}>
                against {one}
              </button>
            ))}
          </div>
        )}
        {value && <Charts curves={value} against={taught ? against : "steps"} />}
      </Panel>
    </>
  );
}

function Charts({ curves, against }: { curves: Curves; against: Against }) {
  const lines = useMemo(() => {
    const place = against === "steps" ? curves.step : curves.answers;
    return {
      answers: pairs(curves.step, curves.answers),
      accuracy: pairs(place, curves.accuracy),
      reward: pairs(place, curves.reward),
      true_return: pairs(place, curves.true_return),
      behavior_return: pairs(place, curves.behavior_return),
    };
  }, [curves, against]);
  const end = Math.max(1, ...(against === "steps" ? curves.step : curves.answers.map((n) => n ?? 0)).slice(-1));
  const least: [number, number] = [0, end];
  const x = { label: against === "steps" ? "environment steps" : "answers", format: short, least };
  const taught = curves.predictor !== "rl";
  return (
    <div class="charts">
      {taught && (
        <Chart title="Accuracy of r̂ on held-out answers" x={x} points={lines.accuracy}
          y={{ label: "accuracy", format: percent, least: [0.5, 1] }} empty="No answer was learned from yet." />
      )}
      <Chart title={taught ? "Mean r̂ of its play" : "Mean reward of its play"} x={x} points={lines.reward}
        y={{ label: taught ? "r̂ per step" : "reward per step" }} empty="The agent has not learned yet." />
      {lines.behavior_return.length > 0 ? (
        <Chart title="Behavior return in evaluations" x={x} points={lines.behavior_return} y={{ label: "behavior return" }} />
      ) : (
        <Chart title="True return in evaluations" x={x} points={lines.true_return} y={{ label: "true return" }}
          empty="The first evaluation comes later." />
      )}
      {taught && against === "steps" && (
        <Chart title="Answers" x={x} points={lines.answers} y={{ label: "answers", least: [0, 10] }} />
      )}
    </div>
  );
}

/** Points where both are known; of several at one place the last. */
export function pairs(x: (number | null)[], y: (number | null)[]): [number, number][] {
  const found = new Map<number, number>();
  x.forEach((a, i) => {
    const b = y[i];
    if (a !== null && b !== null && b !== undefined) found.set(a, b);
  });
  return [...found].sort((one, other) => one[0] - other[0]);
}
