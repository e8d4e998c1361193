/** The keys this person has chosen, kept in the browser; other tabs follow. */

import { signal } from "@preact/signals";

import { DEFAULT_KEYS, type Keys, NAMES } from "./keys";

const PLACE = "rlt-keys";

export const keymap = signal<Keys>(DEFAULT_KEYS);

/** Use these keys from now on; false where they are forgotten with the page, because nothing can be stored. */
export function choose(keys: Keys): boolean {
  keymap.value = keys;
  try {
    const changed = NAMES.filter((name) => keys[name] !== DEFAULT_KEYS[name]).map((name) => [name, keys[name]]);
    if (changed.length === 0) localStorage.removeItem(PLACE);
    else localStorage.setItem(PLACE, JSON.stringify(Object.fromEntries(changed)));
    return true;
  } catch {
    return false;
  }
}

/** Read what was stored, now and whenever another tab changes it. */
export function startKeymap(): void {
  const read = () => {
    try {
      keymap.value = parsed(localStorage.getItem(PLACE));
    } catch {
      // No storage: the usual keys.
    }
  };
  read();
  window.addEventListener("storage", (event) => (event.key === PLACE || event.key === null) && read());
}

/** The stored keys; the usual ones where they make no sense, for a key must never have two meanings. */
export function parsed(text: string | null): Keys {
  try {
    const stored = JSON.parse(text ?? "{}") as Record<string, unknown>;
    const own = NAMES.filter((name) => typeof stored[name] === "string" && stored[name] !== "");
    const keys = { ...DEFAULT_KEYS, ...Object.fromEntries(own.map((name) => [name, stored[name] as string])) };
    return new Set(Object.values(keys)).size === NAMES.length ? keys : DEFAULT_KEYS;
  } catch {
    return DEFAULT_KEYS;
  }
}
