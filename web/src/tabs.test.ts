import { describe, expect, it } from "vitest";

import { MemoryShelf } from "./memoryShelf";
import { STALE_MS, Tabs } from "./tabs";

function two(now = { ms: 0 }) {
  const shelf = new MemoryShelf();
  const seen = { a: true, b: true };
  const tab = (id: "a" | "b") =>
    new Tabs({ shelf, origin: "http://here:1", experiment: "e", id, visible: () => seen[id], now: () => now.ms });
  return { a: tab("a"), b: tab("b"), seen, shelf };
}

describe("tabs", () => {
  it("know what the others hold and have answered", () => {
    const { a, b } = two();
    a.tell(["q1", "q2"], ["q0"]);
    expect(b.theirs()).toEqual({ held: new Set(["q1", "q2"]), said: new Set(["q0"]) });
    expect(a.theirs().held.size).toBe(0);
  });

  it("agree on who gives up a pair that both hold", () => {
    const { a, b } = two();
    a.tell(["q1"], []);
    b.tell(["q1"], []);
    expect([a.lost().has("q1"), b.lost().has("q1")]).toEqual([false, true]);
  });

  it("leave what a hidden tab holds to the one that is looked at", () => {
    const { a, b, seen } = two();
    seen.a = false;
    a.tell(["q1"], []);
    expect(b.theirs().held.size).toBe(0);
    b.tell(["q1"], []);
    expect([a.lost().has("q1"), b.lost().has("q1")]).toEqual([true, false]);
  });

  it("forget tabs that left or crashed", () => {
    const now = { ms: 0 };
    const { a, b, shelf } = two(now);
    a.tell(["q1"], []);
    now.ms = STALE_MS;
    expect(b.theirs().held.size).toBe(0);
    expect(shelf.length).toBe(0);
    a.tell(["q1"], []);
    a.leave();
    expect(b.theirs().held.size).toBe(0);
  });

  it("bear broken records, another experiment's and no storage at all", () => {
    const { b, shelf } = two();
    shelf.setItem("rlt-tab/http://here:1/e/x", "{");
    shelf.setItem("rlt-tab/http://here:1/other/x", JSON.stringify({ at: 0, seen: true, held: ["q1"], said: [] }));
    expect(b.theirs().held.size).toBe(0);
    const alone = new Tabs({ shelf: null, origin: "", experiment: "e", visible: () => true });
    alone.tell(["q1"], []);
    expect(alone.lost().size).toBe(0);
    alone.leave();
  });
});
