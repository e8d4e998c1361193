/** What the whole page shares: who is signed in, and the outbox. */

import { signal } from "@preact/signals";

import { api, ApiError } from "./api";
import { ADOPT_MS, Outbox, type Shelf } from "./outbox";
import { afterToken, tokenIn } from "./route";
import type { Counts, LabelOut, Session } from "./types";

export type SignIn =
  | { state: "starting" }
  | { state: "in"; session: Session }
  | { state: "out"; refused: boolean }
  | { state: "name"; token: string; problem: string }
  | { state: "unreachable"; message: string; wait: boolean };

export const signIn = signal<SignIn>({ state: "starting" });

/** The newest counts the server told with an answer, by experiment. */
export const freshCounts = signal<{ experiment: string; counts: Counts; verdict: string } | null>(null);

/** The newest answer that the server has, of this page. */
export const lastSaved = signal<{ experiment: string; label: LabelOut } | null>(null);

/** The experiment of an answer that has just come late, for as long as that is news. */
export const cameLate = signal<string | null>(null);
const NEWS_MS = 8_000;

/** The browser's storage; null where it is forbidden. */
export const shelf: Shelf | null = storage();

export const outbox = new Outbox({
  shelf,
  origin: location.origin,
  send: api.label,
  who,
  opens,
  saved: ({ experiment, label }, { counts, late }) => {
    freshCounts.value = { experiment, counts, verdict: label.verdict };
    lastSaved.value = { experiment, label };
    if (late) tellLate(experiment);
  },
  locked: () => (signIn.value = { state: "out", refused: false }),
});

function tellLate(experiment: string): void {
  cameLate.value = experiment;
  window.setTimeout(() => (cameLate.value = null), NEWS_MS);
}

function storage(): Shelf | null {
  try {
    return window.localStorage;
  } catch {
    return null;
  }
}

/** In whose name this page answers; undefined while nobody is signed in. */
function who(): string | null | undefined {
  const now = signIn.value;
  return now.state === "in" ? (now.session.labeller?.id ?? null) : undefined;
}

/** Whether the link that is used here is for this experiment. */
function opens(experiment: string): boolean {
  const now = signIn.value;
  const bound = now.state === "in" ? now.session.experiment_id : null;
  return bound === null || bound === experiment;
}

const WHO = `rlt-who/${location.origin}`;

/** All tabs share one session: tell the others who it is now. */
function tellWho(): void {
  try {
    shelf?.setItem(WHO, who() ?? "");
  } catch {
    // They find out with their next request.
  }
}

/** What goes on without any screen: answers left behind, another tab's sign-in, a page closed too early. */
export function keepWatch(): void {
  window.addEventListener("online", () => outbox.retry());
  window.addEventListener("storage", ({ key, newValue }) => {
    if (key === WHO && newValue !== null && newValue !== (who() ?? "")) void enter();
  });
  window.addEventListener("beforeunload", (event) => outbox.fragile && event.preventDefault());
  window.setInterval(() => {
    outbox.adopt(ADOPT_MS);
    void outbox.flush();
  }, ADOPT_MS);
}

/** Sign in with the address's token, if it has one, and take the token out of the address bar. */
export async function enter(): Promise<void> {
  const token = tokenIn(location.hash);
  await enterWith(token);
}

/** The same for an invitation, once its holder has said who they are. */
export async function enterAs(token: string, name: string): Promise<void> {
  await enterWith(token, name);
}

async function enterWith(token: string | null, name?: string): Promise<void> {
  // Before anything else: the token must not stay in the address bar or in the history.
  if (tokenIn(location.hash) !== null) history.replaceState(null, "", location.pathname + location.search + afterToken(location.hash));
  try {
    if (token !== null) {
      // From here on the session may be another person's: nothing is sent until it is known whose.
      signIn.value = { state: "starting" };
      await api.signIn(token, name);
    }
    signIn.value = { state: "in", session: await api.session() };
    tellWho();
    outbox.retry();
  } catch (error) {
    const status = error instanceof ApiError ? error.status : 0;
    if (token !== null && status === 428) signIn.value = { state: "name", token, problem: "" };
    else if (token !== null && status === 422) signIn.value = { state: "name", token, problem: "Please choose another name." };
    else if (status === 401) signIn.value = { state: "out", refused: token !== null };
    else signIn.value = { state: "unreachable", message: (error as Error).message, wait: status === 429 };
  }
}

/** An error of a screen's own request: true if it was that nobody is signed in any more. */
export function signedOut(error: unknown): boolean {
  if (!(error instanceof ApiError && error.status === 401)) return false;
  signIn.value = { state: "out", refused: false };
  return true;
}
