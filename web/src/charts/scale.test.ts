import { expect, test } from "vitest";

import { nice, percent, rangeOf, scale, short, thin, ticks, two } from "./scale";

test("ticks are round and lie within the range", () => {
  expect(ticks([0, 100], 5)).toEqual([0, 20, 40, 60, 80, 100]);
  expect(ticks([0.52, 0.97], 4).map((one) => one.toFixed(1))).toEqual(["0.6", "0.8"]);
  expect(ticks([-7, 13], 4)).toEqual([-5, 0, 5, 10]);
  expect(ticks([0, 50_000_000], 5)).toEqual([0, 1e7, 2e7, 3e7, 4e7, 5e7]);
});

test("a nice range holds what it is made of and ends at ticks", () => {
  expect(nice([3, 97], 5)).toEqual([0, 100]);
  const [low, high] = nice([-0.13, 0.41], 4);
  expect(low).toBeLessThanOrEqual(-0.13);
  expect(high).toBeGreaterThanOrEqual(0.41);
});

test("a range of nothing and of one number can be drawn", () => {
  expect(rangeOf([])).toEqual([0, 1]);
  const [low, high] = rangeOf([5, 5]);
  expect(low).toBeLessThan(5);
  expect(high).toBeGreaterThan(5);
});

test("numbers are short", () => {
  expect([0, 0.125, 950, 9_999, 20_480, 1_500_000, 50_000_000, -12_345].map(short)).toEqual([
    "0", "0.125", "950", "9999", "20.5 k", "1.5 M", "50 M", "−12.3 k",
  ]);
  expect(percent(0.813)).toBe("81 %");
  expect(two(-0.777)).toBe("−0.78");
});

test("places are in proportion", () => {
  const place = scale([0, 10], [100, 0]);
  expect([place(0), place(5), place(10)]).toEqual([100, 50, 0]);
});

test("a thinned list keeps its last", () => {
  expect(thin([1, 2, 3, 4, 5, 6, 7], 3)).toEqual([1, 4, 7]);
  expect(thin([1, 2], 3)).toEqual([1, 2]);
});
