import { describe, expect, it } from "vitest";

import { Guard, LEAST_MS } from "./guard";
import { action, belongsToFocus, HELP } from "./keys";

const press = (key: string, more = {}) => ({ key, repeat: false, shiftKey: false, ctrlKey: false, metaKey: false, altKey: false, ...more });

describe("keys", () => {
  it("maps the arrows to verdicts about the screen", () => {
    const verdicts = ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"].map((key) => action(press(key)));
    expect(verdicts.map((found) => found?.do === "answer" && found.verdict)).toEqual(["LEFT", "RIGHT", "TIE", "ABSTAIN"]);
  });

  it("reads shift as much better, for a side only", () => {
    expect(action(press("ArrowLeft", { shiftKey: true }))).toMatchObject({ strength: "MUCH", key: "Shift+ArrowLeft" });
    expect(action(press("ArrowUp", { shiftKey: true }))).toMatchObject({ verdict: "TIE", strength: "PLAIN" });
  });

  it("knows both ways to undo", () => {
    for (const one of [press("Backspace"), press("z", { ctrlKey: true }), press("z", { metaKey: true })]) {
      expect(action(one)).toEqual({ do: "undo" });
    }
  });

  it("ignores held keys, the browser's own shortcuts and keys without meaning", () => {
    expect(action(press("ArrowLeft", { repeat: true }))).toBeNull();
    expect(action(press("ArrowLeft", { altKey: true }))).toBeNull();
    expect(action(press("ArrowLeft", { ctrlKey: true }))).toBeNull();
    expect(action(press("z"))).toBeNull();
    expect(action(press("constructor"))).toBeNull();
  });

  it("explains every action once", () => {
    expect(new Set(HELP.map(([key]) => key)).size).toBe(HELP.length);
  });

  it("leaves keys to what has the focus", () => {
    expect(belongsToFocus(press("ArrowLeft"), { tagName: "INPUT" })).toBe(true);
    expect(belongsToFocus(press(" "), { tagName: "BUTTON" })).toBe(true);
    expect(belongsToFocus(press("ArrowLeft"), { tagName: "BUTTON" })).toBe(false);
    expect(belongsToFocus(press("ArrowLeft"), null)).toBe(false);
  });
});

describe("guard", () => {
  it("takes one answer per pair, and only after the pair could be seen", () => {
    const guard = new Guard();
    expect(guard.take(10_000)).toBe(false);
    guard.drawn(1000);
    guard.drawn(5000);
    expect(guard.take(1000 + LEAST_MS - 1)).toBe(false);
    expect(guard.seconds(2500)).toBe(1.5);
    expect(guard.take(1000 + LEAST_MS)).toBe(true);
    expect(guard.take(20_000)).toBe(false);
    guard.reset();
    expect(guard.take(20_000)).toBe(false);
  });
});
