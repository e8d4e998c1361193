/** r̂ along a clip: one bar for each step, above the line what pleases it, below what does not. */

import type { Strip } from "../insight/types";
import { type Range, rangeOf, two } from "./scale";

interface Props {
  strip: Strip;
  /** Of several strips that are to be compared. */
  range?: Range;
  /** For screen readers: which clip. */
  name: string;
  /** Stands before the mean: which clip, where the place does not say it. */
  caption?: string;
  /** How much of the clip has been played, 0 to 1. */
  at?: number | null;
}

const HEIGHT = 40;

/** A range that holds several strips, and zero. */
export function commonRange(strips: Strip[]): Range {
  return rangeOf([0, ...strips.flatMap(({ rewards }) => rewards)]);
}

export function StripView({ strip, range = commonRange([strip]), name, caption = "", at = null }: Props) {
  const { rewards, sum } = strip;
  const [low, high] = range;
  const y = (value: number) => ((high - value) / (high - low)) * HEIGHT;
  const mean = sum / Math.max(1, rewards.length);
  return (
    <span class="strip" data-testid="strip">
      <svg viewBox={`0 0 ${rewards.length} ${HEIGHT}`} preserveAspectRatio="none" role="img"
        aria-label={`r̂ along ${name}: mean ${two(mean)} per step, from ${two(Math.min(...rewards))} to ${two(Math.max(...rewards))}`}>
        {rewards.map((value, step) => (
          <rect key={step} class={value < 0 ? "below" : "above"} x={step} width={1.02}
            y={Math.min(y(0), y(value))} height={Math.max(0.6, Math.abs(y(value) - y(0)))} />
        ))}
        <line class="zero" x1={0} x2={rewards.length} y1={y(0)} y2={y(0)} />
        {at !== null && <line class="cursor" x1={at * rewards.length} x2={at * rewards.length} y1={0} y2={HEIGHT} />}
      </svg>
      <small class="soft">{caption} mean r̂ {two(mean)}</small>
    </span>
  );
}
