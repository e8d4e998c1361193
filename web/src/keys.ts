/** What each key means on the teaching screen; the same table prints the keys on the buttons and the help. */

export type Action =
  | { do: "answer"; verdict: "LEFT" | "RIGHT" | "TIE" | "ABSTAIN"; strength: "PLAIN" | "MUCH"; key: string }
  | { do: "undo" | "pause" | "realtime" | "instructions" | "help" };

export interface Press {
  key: string;
  repeat: boolean;
  shiftKey: boolean;
  ctrlKey: boolean;
  metaKey: boolean;
  altKey: boolean;
}

export const HELP: [string, string][] = [
  ["←", "Left is better"],
  ["→", "Right is better"],
  ["Shift + ← / →", "Much better"],
  ["↑", "Equally good"],
  ["↓", "Can't tell"],
  ["Bksp, Ctrl + Z", "Undo, up to ten times (⌘ + Z on a Mac)"],
  ["Space", "Pause or play"],
  ["T", "Real time or slower"],
  ["H", "Instructions"],
  ["?", "These keys"],
];

const ARROWS = new Map([
  ["ArrowLeft", "LEFT"],
  ["ArrowRight", "RIGHT"],
  ["ArrowUp", "TIE"],
  ["ArrowDown", "ABSTAIN"],
] as const);
const PLAIN = new Map([
  ["Backspace", "undo"],
  [" ", "pause"],
  ["t", "realtime"],
  ["h", "instructions"],
  ["?", "help"],
] as const);

/** The action of a key press, or null: a held key, a browser's own shortcut, a key without meaning. */
export function action(press: Press): Action | null {
  if (press.repeat || press.altKey) return null;
  if (press.ctrlKey || press.metaKey) {
    return press.key.toLowerCase() === "z" && !press.shiftKey ? { do: "undo" } : null;
  }
  const verdict = (ARROWS as ReadonlyMap<string, "LEFT" | "RIGHT" | "TIE" | "ABSTAIN">).get(press.key);
  if (verdict) {
    const much = press.shiftKey && (verdict === "LEFT" || verdict === "RIGHT");
    const key = press.shiftKey ? `Shift+${press.key}` : press.key;
    return { do: "answer", verdict, strength: much ? "MUCH" : "PLAIN", key };
  }
  const name = press.key.length === 1 ? press.key.toLowerCase() : press.key;
  const plain = (PLAIN as ReadonlyMap<string, Exclude<Action["do"], "answer">>).get(name);
  return plain ? { do: plain } : null;
}

/** Whether a press belongs to what has the focus (a text field, a slider, a button pressed with Space). */
export function belongsToFocus(press: Press, focus: { tagName: string; isContentEditable?: boolean } | null): boolean {
  if (!focus) return false;
  if (["INPUT", "TEXTAREA", "SELECT"].includes(focus.tagName) || focus.isContentEditable) return true;
  return press.key === " " && ["BUTTON", "A", "SUMMARY"].includes(focus.tagName);
}
