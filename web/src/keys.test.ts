import { describe, expect, it } from "vitest";

import { ECHO_MS, Guard, Held, LEAST_MS } from "./guard";
import { parsed } from "./keymap";
import {
  action, ACTIONS, belongsToFocus, DEFAULT_KEYS, GROUPS, holder, keyLabel, NAMES, type Press, refusal, remapped,
} from "./keys";

const press = (key: string, more: Partial<Press> = {}): Press => ({
  key, repeat: false, shiftKey: false, ctrlKey: false, metaKey: false, altKey: false, ...more,
});
const meanings = (keys: string[]) => keys.map((key) => action(press(key)));

describe("keys", () => {
  it("reads the arrows as answers", () => {
    const verdicts = meanings(["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"]).map((one) => one?.do === "answer" && one.verdict);
    expect(verdicts).toEqual(["LEFT", "RIGHT", "TIE", "ABSTAIN"]);
  });

  it("reads 1 to 7 as the whole scale, mirrored around the tie", () => {
    const said = meanings(["1", "2", "3", "4", "5", "6", "7"]).map((one) => one?.do === "answer" && [one.verdict, one.strength, one.key]);
    expect(said).toEqual([
      ["LEFT", "MUCH", "1"], ["LEFT", "PLAIN", "2"], ["LEFT", "SLIGHT", "3"], ["TIE", "PLAIN", "4"],
      ["RIGHT", "SLIGHT", "5"], ["RIGHT", "PLAIN", "6"], ["RIGHT", "MUCH", "7"],
    ]);
  });

  it("reads shift as much better, for a side only", () => {
    expect(action(press("ArrowLeft", { shiftKey: true }))).toMatchObject({ strength: "MUCH", key: "Shift+ArrowLeft" });
    expect(action(press("ArrowUp", { shiftKey: true }))).toMatchObject({ verdict: "TIE", strength: "PLAIN" });
  });

  it("steers the clips", () => {
    const done = meanings([" ", ",", ".", "[", "]", "t", "h", "?"]).map((one) => one?.do);
    expect(done).toEqual(["pause", "back", "forward", "slower", "faster", "realtime", "instructions", "help"]);
  });

  it("knows both ways to undo", () => {
    for (const one of [press("Backspace"), press("z", { ctrlKey: true }), press("z", { metaKey: true })]) {
      expect(action(one)).toEqual({ do: "undo" });
    }
  });

  it("ignores held keys, the browser's own shortcuts and keys without meaning", () => {
    for (const key of ["ArrowLeft", "1", "Backspace", " "]) expect(action(press(key, { repeat: true }))).toBeNull();
    expect(action(press(".", { repeat: true }))).toEqual({ do: "forward" });
    expect(action(press("ArrowLeft", { altKey: true }))).toBeNull();
    expect(action(press("1", { altKey: true }))).toBeNull();
    expect(action(press("ArrowLeft", { ctrlKey: true }))).toBeNull();
    expect(action(press("z", { ctrlKey: true, repeat: true }))).toBeNull();
    expect(action(press("z"))).toBeNull();
    expect(action(press("constructor"))).toBeNull();
  });

  it("finds digits and brackets on keyboards where they stand elsewhere", () => {
    expect(action(press("&", { code: "Digit1" }))).toMatchObject({ verdict: "LEFT", strength: "MUCH" }); // French
    expect(action(press("ü", { code: "BracketLeft" }))).toEqual({ do: "slower" }); // German
    expect(action(press("[", { code: "Digit8", ctrlKey: true, altKey: true }))).toEqual({ do: "slower" }); // AltGr on Windows
    expect(action(press("[", { code: "Digit5", altKey: true }))).toEqual({ do: "slower" }); // Option on a Mac
    expect(action(press("?", { code: "Comma", shiftKey: true }))).toEqual({ do: "help" });
    expect(action(press("р", { code: "KeyH" }))).toEqual({ do: "instructions" }); // Russian
    expect(action(press("я", { code: "KeyZ", ctrlKey: true }))).toEqual({ do: "undo" });
    expect(action(press("j", { code: "KeyH" }))).toBeNull(); // Dvorak: what is printed counts
  });

  it("names every action once in the help", () => {
    const named = GROUPS.flatMap(([, names]) => names);
    expect([...named].sort()).toEqual([...NAMES].sort());
    expect(new Set(Object.values(DEFAULT_KEYS)).size).toBe(NAMES.length);
    expect(NAMES.map((name) => keyLabel(ACTIONS[name].key))).toContain("Bksp");
  });

  it("leaves keys to what has the focus", () => {
    expect(belongsToFocus(press("ArrowLeft"), { tagName: "INPUT" })).toBe(true);
    expect(belongsToFocus(press(" "), { tagName: "BUTTON" })).toBe(true);
    expect(belongsToFocus(press("ArrowLeft"), { tagName: "BUTTON" })).toBe(false);
    expect(belongsToFocus(press("ArrowLeft"), null)).toBe(false);
  });
});

describe("keys of one's own", () => {
  it("replace the usual ones", () => {
    const keys = remapped(DEFAULT_KEYS, "left", "a");
    expect(action(press("A", { shiftKey: true }), keys)).toMatchObject({ verdict: "LEFT", strength: "MUCH" });
    expect(action(press("ArrowLeft"), keys)).toBeNull();
  });

  it("never leave a key with two meanings", () => {
    expect(holder(DEFAULT_KEYS, "left", "t")).toBe("realtime");
    const keys = remapped(DEFAULT_KEYS, "left", "t");
    expect([keys.left, keys.realtime]).toEqual(["t", "ArrowLeft"]);
    expect(holder(keys, "left", "t")).toBeNull();
  });

  it("refuse what the page or the browser needs", () => {
    for (const key of ["Tab", "Enter", "Escape", "F5"]) expect(refusal(press(key), "tie")).toContain("needed");
    expect(refusal(press("w", { ctrlKey: true }), "tie")).toContain("browser");
    expect(refusal(press("ArrowLeft", { altKey: true }), "left")).toContain("browser");
    expect(refusal(press("A", { shiftKey: true }), "left")).toContain("without Shift");
    expect(refusal(press("Shift"), "left")).toBe("");
    expect(refusal(press("?", { shiftKey: true }), "tie")).toBeNull();
  });

  it("come back from storage, unless they make no sense", () => {
    expect(parsed(JSON.stringify({ left: "a" }))).toEqual({ ...DEFAULT_KEYS, left: "a" });
    for (const bad of [null, "", "{", "null", "[]", '{"left": 5}', '{"nobody": "a"}', '{"left": "ArrowRight"}']) {
      expect(parsed(bad)).toEqual(DEFAULT_KEYS);
    }
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

  it("does not count the time behind a dialog or another tab, and takes nothing there", () => {
    const guard = new Guard();
    guard.away(0);
    guard.drawn(100);
    expect(guard.take(9000)).toBe(false);
    guard.back(10_000);
    expect(guard.take(10_000 + LEAST_MS - 1)).toBe(false);
    guard.away(10_250);
    guard.back(60_000);
    expect(guard.seconds(61_000)).toBe(1.25);
    expect(guard.take(61_000)).toBe(true);
  });

  it("takes a held key for one press, also where it comes as many", () => {
    const held = new Held();
    expect(held.down("1", false, 0)).toBe(false);
    expect(held.down("1", true, 500)).toBe(true);
    held.up("1", 530);
    expect(held.down("1", false, 531)).toBe(true);
    expect(held.down("2", false, 532)).toBe(false);
    held.up("1", 600);
    expect(held.down("1", false, 600 + ECHO_MS)).toBe(false);
  });
});
