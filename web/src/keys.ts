/** What each key means on the teaching screen. One table: it prints the keys on the buttons, fills the help and reads presses. */

import type { Strength } from "./types";

export type Choice = "LEFT" | "RIGHT" | "TIE" | "ABSTAIN";
export type Deed = "undo" | "pause" | "back" | "forward" | "slower" | "faster" | "realtime" | "instructions" | "help";
export interface Answer {
  do: "answer";
  verdict: Choice;
  strength: Strength;
  /** How it was given: a key, "tap", "swipe". */
  key: string;
}
export type Action = Answer | { do: Deed };

export interface Press {
  key: string;
  /** The place on the keyboard, whatever is printed on it. */
  code?: string;
  repeat: boolean;
  shiftKey: boolean;
  ctrlKey: boolean;
  metaKey: boolean;
  altKey: boolean;
}

interface Row {
  /** As the browser names it; letters in lower case. */
  key: string;
  text: string;
  means: { do: "answer"; verdict: Choice; strength: Strength } | { do: Deed };
}

const say = (verdict: Choice, strength: Strength = "PLAIN") => ({ do: "answer", verdict, strength }) as const;

/** Every action with the key it has unless somebody changes it. */
export const ACTIONS = {
  left: { key: "ArrowLeft", text: "Left is better", means: say("LEFT") },
  right: { key: "ArrowRight", text: "Right is better", means: say("RIGHT") },
  tie: { key: "ArrowUp", text: "Equally good", means: say("TIE") },
  abstain: { key: "ArrowDown", text: "Can't tell", means: say("ABSTAIN") },
  scale1: { key: "1", text: "Left is much better", means: say("LEFT", "MUCH") },
  scale2: { key: "2", text: "Left is better", means: say("LEFT") },
  scale3: { key: "3", text: "Left is slightly better", means: say("LEFT", "SLIGHT") },
  scale4: { key: "4", text: "Equally good", means: say("TIE") },
  scale5: { key: "5", text: "Right is slightly better", means: say("RIGHT", "SLIGHT") },
  scale6: { key: "6", text: "Right is better", means: say("RIGHT") },
  scale7: { key: "7", text: "Right is much better", means: say("RIGHT", "MUCH") },
  undo: { key: "Backspace", text: "Undo (ten deep)", means: { do: "undo" } },
  pause: { key: " ", text: "Pause or play", means: { do: "pause" } },
  back: { key: ",", text: "One frame back", means: { do: "back" } },
  forward: { key: ".", text: "One frame on", means: { do: "forward" } },
  slower: { key: "[", text: "Slower", means: { do: "slower" } },
  faster: { key: "]", text: "Faster", means: { do: "faster" } },
  realtime: { key: "t", text: "Real time", means: { do: "realtime" } },
  instructions: { key: "h", text: "Instructions", means: { do: "instructions" } },
  help: { key: "?", text: "Keys", means: { do: "help" } },
} as const satisfies Record<string, Row>;

export type Name = keyof typeof ACTIONS;
export type Keys = Readonly<Record<Name, string>>;

export const NAMES = Object.keys(ACTIONS) as Name[];
export const GROUPS: readonly [string, readonly Name[]][] = [
  ["Answers", ["left", "right", "tie", "abstain", "undo"]],
  ["Help", ["instructions", "help"]],
  ["The clips", ["pause", "back", "forward", "slower", "faster", "realtime"]],
  ["The whole scale", ["scale1", "scale2", "scale3", "scale4", "scale5", "scale6", "scale7"]],
];

export const DEFAULT_KEYS = Object.fromEntries(NAMES.map((name) => [name, ACTIONS[name].key])) as Keys;

/** Keys that stand elsewhere on other keyboards, or need Shift or AltGr there, also count by their place. */
const PLACES: Record<string, string> = { BracketLeft: "[", BracketRight: "]", Comma: ",", Period: "." };
/** Held down, these go on: looking at one frame after the other. */
const MAY_REPEAT: readonly string[] = ["back", "forward"];

/** The action of a key press, or null: a held key, a browser's own shortcut, a key without meaning. */
export function action(press: Press, keys: Keys = DEFAULT_KEYS): Action | null {
  if ((press.ctrlKey || press.metaKey) && !typed(press)) {
    const undo = !press.altKey && !press.shiftKey && !press.repeat && [keyOf(press), placeOf(press)].includes("z");
    return undo ? { do: "undo" } : null;
  }
  if (press.altKey && !typed(press)) return null;
  const name = nameOf(press, keys);
  if (name === null || (press.repeat && !MAY_REPEAT.includes(name))) return null;
  const { means } = ACTIONS[name];
  if (means.do !== "answer") return means;
  const much = press.shiftKey && (name === "left" || name === "right");
  const key = press.shiftKey ? `Shift+${keyOf(press)}` : keyOf(press);
  return { ...means, strength: much ? "MUCH" : means.strength, key: key.slice(0, 32) };
}

function nameOf(press: Press, keys: Keys): Name | null {
  const wanted = [keyOf(press), placeOf(press)];
  for (const key of wanted) {
    const name = NAMES.find((one) => keys[one] === key);
    if (name) return name;
  }
  return null;
}

/** A key as the table names it. */
export function keyOf(press: Press): string {
  return press.key.length === 1 ? press.key.toLowerCase() : press.key;
}

function placeOf({ key, code = "" }: Press): string {
  const letter = /^Key([A-Z])$/.exec(code)?.[1];
  if (letter && !/[a-z]/i.test(key)) return letter.toLowerCase(); // Greek, Cyrillic …: the Latin letter on the same key
  return /^(?:Digit|Numpad)([1-7])$/.exec(code)?.[1] ?? PLACES[code] ?? "";
}

/** Whether Alt or AltGr was held only to type a sign, as for [ on many keyboards. */
function typed(press: Press): boolean {
  return press.altKey && /^[^\p{L}\p{N}\s]$/u.test(press.key);
}

const MODIFIERS = ["Shift", "Control", "Alt", "AltGraph", "Meta", "CapsLock", "Fn", "NumLock"];
const NEEDED = /^(?:Tab|Enter|Escape|F\d+|Dead|Process|Unidentified|ContextMenu)$/;

/** Why a press cannot become the key of an action: one sentence, "" where more is to come (Shift alone), null if it can. */
export function refusal(press: Press, name: Name): string | null {
  if (MODIFIERS.includes(press.key)) return "";
  if ((press.ctrlKey || press.metaKey || press.altKey) && !typed(press)) return "Keys with Ctrl, Alt or ⌘ belong to the browser.";
  if (NEEDED.test(press.key)) return `${keyLabel(press.key)} is needed to move around the page.`;
  if (press.shiftKey && (name === "left" || name === "right")) return "Press it without Shift: with Shift it means “much better”.";
  return null;
}

/** Which other action has this key already. */
export function holder(keys: Keys, name: Name, key: string): Name | null {
  return NAMES.find((one) => one !== name && keys[one] === key) ?? null;
}

/** The keys with `key` for `name`; an action that had it gets the old one in exchange. */
export function remapped(keys: Keys, name: Name, key: string): Keys {
  const other = holder(keys, name, key);
  return { ...keys, ...(other && { [other]: keys[name] }), [name]: key };
}

/** What is printed on a key. */
export function keyLabel(key: string): string {
  return LABELS[key] ?? (key.length === 1 ? key.toUpperCase() : key);
}

const LABELS: Record<string, string> = {
  ArrowLeft: "←", ArrowRight: "→", ArrowUp: "↑", ArrowDown: "↓", " ": "Space", Backspace: "Bksp", Escape: "Esc", Delete: "Del",
};

/** The key as `aria-keyshortcuts` names it. */
export function shortcutOf(key: string): string {
  if (key === " ") return "Space";
  return key.length === 1 ? key.toUpperCase() : key;
}

/** Whether a press belongs to what has the focus (a text field, a slider, a button pressed with Space). */
export function belongsToFocus(press: Press, focus: { tagName: string; isContentEditable?: boolean } | null): boolean {
  if (!focus) return false;
  if (["INPUT", "TEXTAREA", "SELECT"].includes(focus.tagName) || focus.isContentEditable) return true;
  return press.key === " " && ["BUTTON", "A", "SUMMARY"].includes(focus.tagName);
}
