/** What further answers would bring. */

import { Chart } from "../charts/Chart";
import { percent } from "../charts/scale";
import type { Forecast } from "./types";
import { useInsight } from "./ask";
import { Panel, useNearness } from "./Panel";

export function ForecastPanel({ experiment, run }: { experiment: string; run: string }) {
  const [near, setNear] = useNearness();
  const asked = useInsight(experiment, { kind: "forecast", run }, near);
  const { value } = asked;
  return (
    <Panel id="forecast" title="What more answers would bring" near={setNear} asked={asked}
      what="Accuracy of r̂ on held-out answers, measured as the answers came, and a curve a − b·n^(−c) through it. The band holds 8 of 10 curves that chance might have given.">
      {value && (
        <>
          <p class="strong" data-testid="forecast-line">{forecastLine(value)}</p>
          <Chart title="Accuracy of r̂ against answers" x={{ label: "answers" }}
            y={{ label: "accuracy", format: percent, least: [0.5, 1] }}
            points={value.curve.map(([n, accuracy]) => [n, accuracy])}
            band={value.curve.map(([n, , low, high]) => [n, low, high])} dots={value.measured} />
          <p class="soft">
            accuracy = {value.formula.a.toFixed(2)} − {value.formula.b.toFixed(2)} · n^(−{value.formula.c.toFixed(2)})
          </p>
        </>
      )}
    </Panel>
  );
}

/** One sentence: "50 more answers would bring about 3 points of accuracy (0 to 6), 100 more about 5 (1 to 9)." */
export function forecastLine({ now, more }: Forecast): string {
  const [first, second] = more;
  if (!first || !second) return "";
  const points = (share: number) => Math.round(share * 100);
  const span = ({ low, high }: (typeof more)[0]) => `${points(low)} to ${points(high)}`;
  if (points(second.high) < 1) {
    return `At ${percent(now)} now, ${second.answers} more answers would hardly change accuracy.`;
  }
  const unit = points(first.gain) === 1 ? "point" : "points";
  return (
    `At ${percent(now)} now, ${first.answers} more answers would bring about ${points(first.gain)} ${unit} of accuracy ` +
    `(${span(first)}), ${second.answers} more about ${points(second.gain)} (${span(second)}).`
  );
}
