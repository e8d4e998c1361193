/** Axes: from numbers to places on the screen, and ticks people like to read. */

export type Range = [number, number];

/** The range of some numbers; a single number gets room on both sides. */
export function rangeOf(values: number[]): Range {
  let low = Infinity;
  let high = -Infinity;
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  if (low > high) return [0, 1];
  if (low === high) {
    const room = Math.abs(low) * 0.1 || 1;
    return [low - room, high + room];
  }
  return [low, high];
}

/** About `n` round numbers (1, 2 or 5 times a power of ten apart) within a range. */
export function ticks([low, high]: Range, n: number): number[] {
  const rough = (high - low) / Math.max(1, n);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5, 10].find((one) => one * power >= rough * 0.999) ?? 10);
  const found: number[] = [];
  for (let i = Math.ceil(low / step - 1e-9) || 0; i * step <= high + step * 1e-9; i++) found.push(i * step);
  return found;
}

/** The range widened so that it begins and ends at a tick. */
export function nice(range: Range, n: number): Range {
  const marks = ticks(range, n);
  const step = marks.length > 1 ? marks[1]! - marks[0]! : range[1] - range[0];
  return [Math.floor(range[0] / step + 1e-9) * step, Math.ceil(range[1] / step - 1e-9) * step];
}

/** A number's place between two places. */
export function scale([low, high]: Range, [from, to]: Range): (value: number) => number {
  const slope = (to - from) / (high - low);
  return (value) => from + (value - low) * slope;
}

/** 950, 20 k, 1.5 M */
export function short(value: number): string {
  const size = Math.abs(value);
  if (size >= 999_500) return `${trim(value / 1e6)} M`;
  if (size >= 10_000) return `${trim(value / 1e3)} k`;
  return size >= 100 ? String(Math.round(value)).replace("-", "−") : trim(value);
}

function trim(value: number): string {
  return String(Number(value.toPrecision(3))).replace("-", "−");
}

/** −0.78 */
export function two(value: number): string {
  return value.toFixed(2).replace("-", "−");
}

/** 81 % */
export function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}

/** Every so many-th of a list, its last included, so that at most `most` are left. */
export function thin<T>(items: T[], most: number): T[] {
  const every = Math.ceil(items.length / most);
  return every <= 1 ? items : items.filter((_, i) => (items.length - 1 - i) % every === 0);
}
