/**
 * Answers on their way to the server. An answer is written to the browser's storage before anything is sent and leaves
 * it only when the server has acknowledged it, so closing the page, a lost network or a killed server lose nothing.
 * Sending again is harmless: the server knows an answer by its id. Tabs share the storage: what a closed or crashed one
 * left behind, another takes up. An answer is only ever sent in the name of the person who gave it.
 */

import { signal } from "@preact/signals";

import { ApiError } from "./api";
import type { LabelOut, Saved } from "./types";

export interface Entry {
  experiment: string;
  /** Milliseconds since 1970, only for the order. */
  at: number;
  /** Who said it: the browser may hold another person's session by the time it is sent. */
  labeller: string | null;
  label: LabelOut;
}

/** `fragile`: some are in this page's memory only, because the browser's storage is full or forbidden. */
export type Delivery = { state: "saved" } | { state: "saving" | "offline" | "stranger"; n: number; fragile: boolean };

/** The part of localStorage that is needed; a page without storage still works from memory. */
export interface Shelf {
  readonly length: number;
  key(index: number): string | null;
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
  removeItem(key: string): void;
}

interface Options {
  shelf: Shelf | null;
  origin: string;
  send: (label: LabelOut) => Promise<Saved>;
  /** Who is signed in; undefined while nobody is. */
  who: () => string | null | undefined;
  /** Whether the session opens this experiment. One that does not would be told that the question does not exist. */
  opens?: (experiment: string) => boolean;
  saved?: (entry: Entry, saved: Saved) => void;
  /** The session has ended: nothing can be delivered before the person signs in again. */
  locked?: () => void;
  wait?: (ms: number) => Promise<void>;
  now?: () => number;
}

const FIRST_WAIT_MS = 400;
const LONGEST_WAIT_MS = 8_000;
/** What has lain in the storage this long no living tab is sending just now. */
export const ADOPT_MS = 20_000;

export class Outbox {
  readonly delivery = signal<Delivery>({ state: "saved" });
  /** What the server refused for good, for the person to read. */
  readonly refused = signal<string[]>([]);
  private entries: Entry[] = [];
  /** Those of the entries that lie in the storage. */
  private readonly kept = new Set<Entry>();
  /** Those of the entries that another page may be sending, too. */
  private readonly adopted = new Set<Entry>();
  private running = false;
  private failures = 0;
  private wake: (() => void) | null = null;
  private last = 0;
  private readonly now: () => number;

  constructor(private readonly options: Options) {
    this.now = options.now ?? (() => Date.now());
    this.adopt(0);
  }

  /** How many answers the server has not acknowledged yet. */
  get n(): number {
    return this.entries.length;
  }

  /** Whether closing the page now would lose an answer. */
  get fragile(): boolean {
    return this.entries.some((entry) => !this.kept.has(entry));
  }

  /** Whether an answer to this query is still on its way. */
  holds(query: string): boolean {
    return this.entries.some((entry) => entry.label.query_id === query);
  }

  /** Keep an answer and send it as soon as possible, after those before it. */
  put(experiment: string, label: LabelOut): void {
    // Two answers within one millisecond must keep their order after a reload.
    this.last = Math.max(this.now(), this.last + 1);
    const entry: Entry = { experiment, at: this.last, labeller: this.options.who() ?? null, label };
    this.entries.push(entry);
    this.write(entry);
    this.show();
    void this.flush();
  }

  /** Try now, whatever the back-off says: called when the network comes back. */
  retry(): void {
    this.failures = 0;
    this.adopt(ADOPT_MS);
    this.wake?.();
    void this.flush();
  }

  /** Take up what tabs that are gone have left in the storage. */
  adopt(olderThanMs: number): void {
    const known = new Set(this.entries.map((entry) => entry.label.id));
    const found = this.stored().filter(({ at, label }) => !known.has(label.id) && Math.abs(this.now() - at) >= olderThanMs);
    for (const entry of found) {
      this.kept.add(entry);
      this.adopted.add(entry);
    }
    this.entries = [...this.entries, ...found].sort((a, b) => a.at - b.at);
    this.show();
  }

  /** Send all there is, oldest first, one at a time; returns when nothing is left or nothing can be sent. */
  async flush(): Promise<void> {
    if (this.running) return;
    this.running = true;
    try {
      for (let entry = this.next(); entry && (await this.step(entry)); ) entry = this.next();
    } finally {
      this.running = false;
      this.show();
    }
  }

  /** The oldest answer of the person who is signed in, about what their link opens. */
  private next(): Entry | undefined {
    const who = this.options.who();
    if (who === undefined) return undefined;
    const opens = this.options.opens ?? (() => true);
    return this.entries.find(({ labeller, experiment }) => labeller === who && opens(experiment));
  }

  private async step(entry: Entry): Promise<boolean> {
    if (this.adopted.has(entry) && this.options.shelf?.getItem(this.name(entry)) === null) {
      this.drop(entry); // another tab has delivered it
      return true;
    }
    if (!this.kept.has(entry)) this.write(entry); // there may be room again
    try {
      const saved = await this.options.send(entry.label);
      // Something between us and the server may say "fine" to anything; only the server numbers an answer.
      if (typeof saved?.seq !== "number") throw new Error("this is not the server's acknowledgement");
      this.failures = 0;
      this.drop(entry);
      this.options.saved?.(entry, saved);
      return true;
    } catch (error) {
      return this.failed(entry, error);
    }
  }

  private async failed(entry: Entry, error: unknown): Promise<boolean> {
    if (error instanceof ApiError && error.status === 401 && error.ours) {
      this.failures += 1;
      this.show();
      this.options.locked?.();
      return false;
    }
    if (error instanceof ApiError && !error.passing) {
      this.refused.value = [...this.refused.value, error.message];
      this.drop(entry);
      return true;
    }
    // The server is there and stumbles over this one: the others need not wait for it.
    if (error instanceof ApiError) this.postpone(entry.label.query_id);
    this.failures += 1;
    this.show();
    await this.pause(Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (this.failures - 1)));
    return true;
  }

  /** What was said about one query goes behind everything else, in its order. */
  private postpone(query: string): void {
    const about = (entry: Entry) => entry.label.query_id === query;
    this.entries = [...this.entries.filter((entry) => !about(entry)), ...this.entries.filter(about)];
  }

  private async pause(ms: number): Promise<void> {
    const wait = this.options.wait ?? ((time: number) => new Promise<void>((done) => setTimeout(done, time)));
    await Promise.race([wait(ms), new Promise<void>((done) => (this.wake = done))]);
    this.wake = null;
  }

  private drop(entry: Entry): void {
    this.entries = this.entries.filter((other) => other !== entry);
    this.kept.delete(entry);
    this.adopted.delete(entry);
    this.options.shelf?.removeItem(this.name(entry));
    this.show();
  }

  private show(): void {
    const { n, fragile } = this;
    const mine = this.next() !== undefined || this.options.who() === undefined;
    const state = !mine ? "stranger" : this.failures > 0 ? "offline" : "saving";
    this.delivery.value = n === 0 ? { state: "saved" } : { state, n, fragile };
  }

  // One storage item per answer, so that two tabs never overwrite each other's.
  private name(entry: Entry): string {
    return `${this.prefix()}${entry.experiment}/${entry.label.id}`;
  }

  private prefix(): string {
    return `rlt-outbox/${this.options.origin}/`;
  }

  private write(entry: Entry): void {
    if (!this.options.shelf) return;
    try {
      this.options.shelf.setItem(this.name(entry), JSON.stringify(entry));
      this.kept.add(entry);
    } catch {
      // Storage full or forbidden: the answer is in memory, and the status line says that it is only there.
    }
  }

  private stored(): Entry[] {
    const found: Entry[] = [];
    const shelf = this.options.shelf;
    for (let i = 0; shelf && i < shelf.length; i++) {
      const key = shelf.key(i);
      const entry = key?.startsWith(this.prefix()) ? read(shelf.getItem(key)) : null;
      if (entry) found.push(entry);
    }
    return found;
  }
}

function read(text: string | null): Entry | null {
  try {
    const entry = JSON.parse(text ?? "") as Entry;
    if (typeof entry.label?.id !== "string" || typeof entry.experiment !== "string") return null;
    return { ...entry, at: Number(entry.at) || 0, labeller: entry.labeller ?? null };
  } catch {
    return null;
  }
}
