import { describe, expect, it } from "vitest";

import { afterToken, parse, tokenIn } from "./route";
import { onScreen, unswap } from "./sides";
import { uuid } from "./ids";

describe("sides", () => {
  it("shows right on the left when swapped, and maps the answer back", () => {
    const pair = { left: "L", right: "R" };
    for (const swapped of [false, true]) {
      const [first, second] = onScreen(pair, swapped);
      expect(unswap("LEFT", swapped)).toBe(first === "L" ? "LEFT" : "RIGHT");
      expect(unswap("RIGHT", swapped)).toBe(second === "R" ? "RIGHT" : "LEFT");
    }
  });

  it("is its own inverse and leaves the rest alone", () => {
    for (const verdict of ["LEFT", "RIGHT", "TIE", "ABSTAIN", "WITHDRAWN"] as const) {
      expect(unswap(unswap(verdict, true), true)).toBe(verdict);
    }
    expect(unswap("TIE", true)).toBe("TIE");
  });
});

describe("addresses", () => {
  it("finds the token and the screens", () => {
    expect(tokenIn("#token=a-b_c")).toBe("a-b_c");
    expect(tokenIn("#/")).toBeNull();
    expect(tokenIn("#token=a-b_c&go=watch/hop")).toBe("a-b_c");
    expect(afterToken("#token=a&go=watch/hop")).toBe("#/watch/hop");
    expect(afterToken("#token=a&go=elsewhere")).toBe("#/");
    expect(afterToken("#token=a")).toBe("#/");
    expect(parse("")).toEqual({ screen: "list" });
    expect(parse("#/teach/e1")).toEqual({ screen: "teach", id: "e1" });
    expect(parse("#/watch/a%20run")).toEqual({ screen: "watch", id: "a run" });
    expect(parse("#/watch/%")).toEqual({ screen: "unknown", hash: "#/watch/%" });
    expect(parse("#/teach/")).toMatchObject({ screen: "unknown" });
  });
});

describe("uuid", () => {
  it("is a version-4 UUID and new each time", () => {
    const found = new Set(Array.from({ length: 50 }, uuid));
    expect(found.size).toBe(50);
    for (const one of found) expect(one).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });
});
