/** The address after the #: which screen is shown. */

import { signal } from "@preact/signals";

const SUBJECTS = ["teach", "answers", "watch", "people", "settings"] as const;
type Subject = (typeof SUBJECTS)[number];

export type Route =
  | { screen: "list" }
  | { screen: Subject; id: string }
  | { screen: "unknown"; hash: string };

/** The screen an address means. */
export function parse(hash: string): Route {
  const path = hash.replace(/^#\/?/, "").replace(/\?.*$/, "");
  if (path === "") return { screen: "list" };
  const [screen, rest] = split(path);
  const subject = SUBJECTS.find((one) => one === screen);
  if (subject && rest) return { screen: subject, id: rest };
  return { screen: "unknown", hash };
}

function split(path: string): [string, string] {
  const at = path.indexOf("/");
  if (at < 0) return [path, ""];
  try {
    return [path.slice(0, at), decodeURIComponent(path.slice(at + 1))];
  } catch {
    return [path.slice(0, at), ""];
  }
}

/** The token in the entry address `#token=…`, or null. */
export function tokenIn(hash: string): string | null {
  const match = /^#\/?token=([^&]+)/.exec(hash);
  if (!match) return null;
  try {
    return decodeURIComponent(match[1]!);
  } catch {
    return match[1]!;
  }
}

/** Where the entry address `#token=…&go=teach/ID` leads once the token is taken out of it; the list unless it says. */
export function afterToken(hash: string): string {
  const match = /[&]go=([^&]+)/.exec(hash);
  const wanted = match ? `#/${match[1]}` : "#/";
  return parse(wanted).screen === "unknown" ? "#/" : wanted;
}

export function link(screen: "list" | Subject, id = ""): string {
  return screen === "list" ? "#/" : `#/${screen}/${encodeURIComponent(id)}`;
}

/** What stands after "?" in the address of a screen. */
export function queryOf(hash: string): URLSearchParams {
  return new URLSearchParams(hash.split("?")[1] ?? "");
}

export const route = signal<Route>({ screen: "list" });

/** Follow the address bar. */
export function startRouting(): void {
  const update = () => (route.value = parse(location.hash));
  window.addEventListener("hashchange", update);
  update();
}
